import type { Clock } from '../lib/clock.ts'

/**
 * Tells how long this console could do nothing, because it or its machine was busy. What arrived in that time was only
 * noticed after it, and must not be held against a member. It looks at the clock while somebody watches, and asks
 * nothing of it otherwise.
 */
export class HeldUp {
  readonly #clock: Clock
  #watching = 0
  #lookedAt = 0
  /** Of all that was watched. */
  #lostMs = 0
  #cancel: () => void = () => {}

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Begins to watch. What it gives back ends that, and tells how many milliseconds were lost; to be called once. */
  watch(): () => number {
    if (this.#watching === 0) {
      this.#lookedAt = this.#clock.monotonic()
      this.#lookAgain()
    } else {
      this.#look()
    }
    this.#watching += 1
    const before = this.#lostMs
    return () => {
      this.#look()
      this.#watching -= 1
      if (this.#watching === 0) this.#cancel()
      return this.#lostMs - before
    }
  }

  #lookAgain(): void {
    this.#cancel = this.#clock.after(EVERY_MS, () => {
      this.#look()
      this.#lookAgain()
    })
  }

  /** All of the time since the last look is lost when it was longer than agreed: nobody knows which part of it. */
  #look(): void {
    const now = this.#clock.monotonic()
    const passedMs = now - this.#lookedAt
    if (passedMs > EVERY_MS + PUNCTUAL_MS) this.#lostMs += passedMs
    this.#lookedAt = now
  }
}

const EVERY_MS = 20
/** Timers count whole milliseconds, and a process that wakes up has to be given a processor. */
const PUNCTUAL_MS = 10
