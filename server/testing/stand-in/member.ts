import type { Clock } from './clock.ts'

/** Where a member's process is: running, stopped by a signal, dead, or on its way up. */
export type ProcessState = 'running' | 'stopped' | 'dead' | 'starting'

/** What the cluster database says about maintenance. */
export type MemberState = 'created' | 'evacuating' | 'evacuated' | 'restoring'

/** Thrown into work that was going on in a member when its process died. */
export class MemberDied extends Error {
  override readonly name = 'MemberDied'
}

/** One Incus server of the stand-in: what the database knows of it, and the state its process and its network are in. */
export class Member {
  name: string
  readonly host: string
  port = 0
  readonly failureDomain: string
  readonly description: string
  groups: string[]
  /** Settings of its own, beyond what follows from its address; an empty one hides what follows. */
  readonly config: Record<string, string> = {}
  state: MemberState = 'created'
  /** When the leader last heard of it, on the leader's clock. */
  lastHeartbeatAt: number
  startedAt: number

  process: ProcessState = 'running'
  /** How requests are met while the process is starting. */
  startingAnswers: 'hang' | 'unavailable' = 'hang'
  cutOff = false
  withoutOidc = false
  clockOffsetMs = 0
  /** Added to every handshake and every piece of an answer. */
  delayMs = 0
  /** Since when its process is stopped or its cable is out. */
  silentSince: number | undefined
  /** A heartbeat to it was refused, and none has been answered since. */
  heartbeatRefused = false
  /** Counts the starts of its process; work remembers the one it belongs to. */
  life = 1

  readonly #clock: Clock
  readonly #watchers = new Set<() => void>()

  constructor(options: {
    name: string
    host: string
    failureDomain: string
    description: string
    groups: string[]
    clock: Clock
  }) {
    this.name = options.name
    this.host = options.host
    this.failureDomain = options.failureDomain
    this.description = options.description
    this.groups = options.groups
    this.#clock = options.clock
    this.startedAt = options.clock.now()
    this.lastHeartbeatAt = this.startedAt
  }

  get address(): string {
    return this.host.includes(':') ? `[${this.host}]:${this.port}` : `${this.host}:${this.port}`
  }

  get url(): string {
    return `https://${this.address}`
  }

  /** The time this member believes it is. */
  now(): number {
    return this.#clock.now() + this.clockOffsetMs
  }

  /** It answers others: its process runs and its cable is plugged in. */
  get answering(): boolean {
    return this.process === 'running' && !this.cutOff
  }

  /** Resolves when the process runs. Work of a process that has died never goes on. */
  async awake(life = this.life): Promise<void> {
    while (this.life === life && this.process !== 'running' && this.process !== 'dead') {
      await new Promise<void>((resolve) => {
        const changed = (): void => {
          this.#watchers.delete(changed)
          resolve()
        }
        this.#watchers.add(changed)
      })
    }
    if (this.life !== life || this.process === 'dead') throw new MemberDied(`${this.name} died`)
  }

  /** Resolves when something changed, or after that many milliseconds; rejects with the signal's reason. */
  changeOr(ms: number | undefined, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (then: () => void): void => {
        cancel?.()
        this.#watchers.delete(changed)
        signal.removeEventListener('abort', aborted)
        then()
      }
      const changed = (): void => settle(resolve)
      const aborted = (): void => settle(() => reject(new Error('The client left')))
      const cancel = ms === undefined ? undefined : this.#clock.after(ms, changed)
      this.#watchers.add(changed)
      if (signal.aborted) aborted()
      else signal.addEventListener('abort', aborted, { once: true })
    })
  }

  /** Tells those who wait that something changed. */
  changed(): void {
    for (const tell of this.#watchers) tell()
  }
}
