import type { Endpoint } from '../../src/clusters/endpoint.ts'
import type { Clock } from '../../src/lib/clock.ts'
import type { Chance } from './chance.ts'
import type { Link } from './connection.ts'
import { Connection, Pipe } from './connection.ts'

export interface Subscription {
  onMessage(text: string): void
  onPing(): void
}

/**
 * One server of the cluster: a process that can be stopped, killed and started, behind a link that can be cut and slow.
 * What it does takes its own time, which stands still while it is stopped and ends when it is killed.
 */
export class SimulatedMember implements Link {
  readonly name: string
  readonly endpoint: Endpoint
  readonly clock: Clock
  readonly chance: Chance
  process: 'running' | 'stopped' | 'dead' | 'starting' = 'running'
  /** What it says to HTTP while it starts. */
  starting: 'silence' | 'unavailable' = 'silence'
  isCut = false
  extraMs = 0
  certificate: 'own' | 'other' = 'own'
  refusesTokens = false
  /** Which start of the process this is. */
  life = 0
  readonly subscriptions = new Map<Connection, Subscription>()
  readonly #connections = new Set<Connection>()
  /** What reaches it from other members, by member. */
  readonly #fromOthers = new Map<string, Pipe>()
  #paused: (() => void)[] = []

  constructor(name: string, endpoint: Endpoint, clock: Clock, chance: Chance) {
    this.name = name
    this.endpoint = endpoint
    this.clock = clock
    this.chance = chance
    this.#ping()
  }

  delayMs(): number {
    const lost = this.chance.chance(0.004) ? this.chance.between(200, 450) : 0
    return 0.1 + this.chance.waiting(0.4) + lost + (this.extraMs === 0 ? 0 : this.chance.between(0.5, 1) * this.extraMs)
  }

  get isUnread(): boolean {
    return this.process === 'stopped'
  }

  /** Whether it does what it is asked. */
  get works(): boolean {
    return this.process === 'running' && !this.isCut
  }

  /** Whether nothing at all is wrong with it. */
  get isWell(): boolean {
    return this.works && this.extraMs === 0 && this.certificate === 'own' && !this.refusesTokens
  }

  /** Somebody connects: false when nothing listens. */
  accept(connection: Connection): boolean {
    if (this.process === 'dead') return false
    this.#connections.add(connection)
    return true
  }

  /** After some time of the process, unless it ends before. */
  later(delayMs: number, work: () => void): void {
    const { life } = this
    const due = (): void => {
      if (life !== this.life || this.process === 'dead') return
      if (this.process === 'stopped') this.#paused.push(due)
      else work()
    }
    this.clock.after(delayMs, due)
  }

  /** What another member sends: in order, and late rather than never, as long as both processes live. */
  hear(from: SimulatedMember, work: () => void): void {
    let pipe = this.#fromOthers.get(from.name)
    if (pipe === undefined) {
      pipe = new Pipe(
        this.clock,
        () => this.delayMs() + from.extraMs,
        () => this.isCut || from.isCut || this.process === 'stopped',
      )
      this.#fromOthers.set(from.name, pipe)
    }
    const { life } = this
    pipe.send(() => {
      if (life === this.life && this.process !== 'dead') work()
    })
  }

  /** Sends to whoever listens to its events. */
  tell(text: string): void {
    for (const [connection, listener] of this.subscriptions) connection.down.send(() => listener.onMessage(text))
  }

  stop(): void {
    this.process = 'stopped'
  }

  resume(): void {
    this.process = 'running'
    const paused = this.#paused
    this.#paused = []
    for (const work of paused) this.clock.after(this.chance.between(0, 2), work)
    this.release()
  }

  /** What it was doing is gone; whoever was connected is told by its kernel. */
  kill(): void {
    this.process = 'dead'
    this.life += 1
    this.#paused = []
    this.subscriptions.clear()
    for (const connection of this.#connections) connection.reset()
    this.#connections.clear()
  }

  /** The link carries again. Others that sent to it are told by the cluster. */
  mend(): void {
    this.isCut = false
    this.release()
  }

  /** What waited for this member or its link goes on. */
  release(): void {
    for (const connection of this.#connections) connection.release()
    for (const pipe of this.#fromOthers.values()) pipe.release()
  }

  forget(connection: Connection): void {
    this.#connections.delete(connection)
    this.subscriptions.delete(connection)
  }

  /** A connection to it that has just been asked for. */
  connection(number: number): Connection {
    return new Connection(number, this.name, this)
  }

  /** Incus pings its listeners every 10 s. */
  #ping(): void {
    this.clock.after(10_000, () => {
      if (this.process === 'running') {
        for (const [connection, listener] of this.subscriptions) connection.down.send(() => listener.onPing())
      }
      this.#ping()
    })
  }
}
