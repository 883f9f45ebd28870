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
    const now = this.#clock.monotonic()
    this.#add(((now - this.#filledAt) / 1_000) * this.#settings.budgetPerSecond)
    this.#filledAt = now
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }

  #add(tokens: number): void {
    this.#tokens = Math.min(this.#settings.budgetCapacity, this.#tokens + tokens)
  }
}
