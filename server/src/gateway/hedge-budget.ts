import type { Clock } from '../lib/clock.ts'
import type { HedgingSettings } from './gateway-settings.ts'

/**
 * Keeps second attempts a small part of all: a bucket of tokens that requests and time fill, and that each hedge or
 * retry takes one from. When it is empty, requests wait for the member they asked, so that a cluster in trouble is not
 * sent a multiple of its load.
 */
export class HedgeBudget {
  readonly #settings: HedgingSettings
  readonly #clock: Clock
  #tokens: number
  #filledAt: number
  #withheld = 0

  constructor(settings: HedgingSettings, clock: Clock) {
    this.#settings = settings
    this.#clock = clock
    this.#tokens = settings.budgetCapacity
    this.#filledAt = clock.monotonic()
  }

  /** Notes a request. */
  request(): void {
    this.#add(this.#settings.budgetPerRequest)
  }

  /** Takes one token; false when there is none. */
  take(): boolean {
    this.#fill()
    if (this.#tokens < 1) {
      this.#withheld += 1
      return false
    }
    this.#tokens -= 1
    return true
  }

  /** Tokens there are now. */
  get left(): number {
    this.#fill()
    return this.#tokens
  }

  /** How often there was none. */
  get withheld(): number {
    return this.#withheld
  }

  #fill(): void {
    const now = this.#clock.monotonic()
    this.#add(((now - this.#filledAt) / 1_000) * this.#settings.budgetPerSecond)
    this.#filledAt = now
  }

  #add(tokens: number): void {
    this.#tokens = Math.min(this.#settings.budgetCapacity, this.#tokens + tokens)
  }
}
