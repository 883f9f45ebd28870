import type { Clock } from '../../src/lib/clock.ts'
import type { Chance } from './chance.ts'

/** One direction of a connection. What is sent arrives in order; while the way is blocked it waits, as TCP makes it. */
export class Pipe {
  readonly #clock: Clock
  readonly #delayMs: () => number
  readonly #blocked: () => boolean
  readonly #held: (() => void)[] = []
  #lastAt = 0
  /** Nothing of what is under way arrives any more. */
  cut = false

  constructor(clock: Clock, delayMs: () => number, blocked: () => boolean) {
    this.#clock = clock
    this.#delayMs = delayMs
    this.#blocked = blocked
  }

  send(deliver: () => void): void {
    if (this.cut) return
    const now = this.#clock.monotonic()
    this.#lastAt = Math.max(this.#lastAt, now + this.#delayMs())
    this.#clock.after(this.#lastAt - now, () => this.#arrive(deliver))
  }

  /** The way may be free again. */
  release(): void {
    while (!this.cut && this.#held.length > 0 && !this.#blocked()) this.#held.shift()?.()
  }

  #arrive(deliver: () => void): void {
    if (this.cut) return
    if (this.#held.length > 0 || this.#blocked()) this.#held.push(deliver)
    else deliver()
  }
}

/** How the way to a member is. */
export interface Link {
  readonly clock: Clock
  readonly chance: Chance
  delayMs(): number
  /** Nothing passes. */
  readonly isCut: boolean
  /** Everything passes, and nobody reads it. */
  readonly isUnread: boolean
}

/** A TCP connection between the console and one member, as both ends see it. */
export class Connection {
  readonly number: number
  readonly member: string
  /** To the member's kernel, which answers for a process that is stopped. */
  readonly knock: Pipe
  readonly up: Pipe
  readonly down: Pipe
  /** What becomes of it on the console's side; null while nobody uses it. */
  onLost: ((code: string) => void) | null = null
  readonly #link: Link
  readonly #ends = new Set<() => void>()
  #open = true

  constructor(number: number, member: string, link: Link) {
    const { clock } = link
    this.number = number
    this.member = member
    this.#link = link
    this.knock = new Pipe(
      clock,
      () => link.delayMs(),
      () => link.isCut,
    )
    this.up = new Pipe(
      clock,
      () => link.delayMs(),
      () => link.isCut || link.isUnread,
    )
    this.down = new Pipe(
      clock,
      () => link.delayMs(),
      () => link.isCut,
    )
  }

  /** As far as the console knows. */
  get isOpen(): boolean {
    return this.#open
  }

  /** Calls back once when the console's end is closed, whoever closed it. */
  whenClosed(callback: () => void): void {
    if (this.#open) this.#ends.add(callback)
    else callback()
  }

  /** The console gives it up. What it wrote may arrive all the same, unless the way is cut. */
  close(): void {
    if (!this.#open) return
    this.down.cut = true
    if (this.#link.isCut || this.#link.chance.chance(0.2)) this.up.cut = true
    this.#end()
  }

  /** The member's end is gone: what it has not read is lost, and the console hears of it when the way allows. */
  reset(code = 'ECONNRESET'): void {
    this.up.cut = true
    this.knock.cut = true
    this.down.send(() => this.#lose(code))
  }

  /** What waited for the way may go on. */
  release(): void {
    this.knock.release()
    this.up.release()
    this.down.release()
  }

  #lose(code: string): void {
    if (!this.#open) return
    const tell = this.onLost
    this.onLost = null
    this.down.cut = true
    this.#end()
    tell?.(code)
  }

  #end(): void {
    this.#open = false
    for (const end of this.#ends) end()
    this.#ends.clear()
  }
}
