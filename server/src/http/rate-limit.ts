// Decision, 2026-11-22: a token bucket of our own rather than rate-limiter-flexible. Its memory limiter counts in fixed
// windows (twice the rate passes across a border), keeps a timer and an entry per key without a bound, and reads the
// time itself; "50 per second with bursts of 200" is two of its limiters and two promises per request. Here it is one
// entry in a bounded cache, on the clock that is passed in. When several replicas are to share a limit, that is the
// day for a library.

import { LRUCache } from 'lru-cache'
import type { Clock } from '../lib/clock.ts'
import { Refusal } from './problem.ts'

interface Bucket {
  tokens: number
  at: number
}

export interface RateLimitOptions {
  readonly perSecond: number
  /** How many at once. Default: a second's worth. */
  readonly burst?: number
  readonly clock: Clock
  /** Keys remembered; the one not seen for longest is forgotten, and starts anew. Default 10 000. */
  readonly mostKeys?: number
}

/** So many per second and key, more at once when there were fewer before. */
export class RateLimit {
  readonly #perSecond: number
  readonly #burst: number
  readonly #clock: Clock
  readonly #buckets: LRUCache<string, Bucket>

  constructor({ perSecond, burst = Math.max(1, perSecond), clock, mostKeys = 10_000 }: RateLimitOptions) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#clock = clock
    this.#buckets = new LRUCache({ max: mostKeys })
  }

  /** Takes one; throws the refusal, with how long to wait, when there is none left. */
  take(key: string): void {
    const bucket = this.#filled(key)
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1
      return
    }
    const waitSeconds = Math.max(1, Math.ceil((1 - bucket.tokens) / this.#perSecond))
    throw new Refusal('too_many_requests', undefined, { headers: { 'retry-after': String(waitSeconds) } })
  }

  /** Whether `take` would throw now. */
  isSpent(key: string): boolean {
    return this.#buckets.has(key) && this.#filled(key).tokens < 1
  }

  #filled(key: string): Bucket {
    const now = this.#clock.monotonic()
    let bucket = this.#buckets.get(key)
    if (bucket === undefined) {
      bucket = { tokens: this.#burst, at: now }
      this.#buckets.set(key, bucket)
    }
    bucket.tokens = Math.min(this.#burst, bucket.tokens + ((now - bucket.at) / 1000) * this.#perSecond)
    bucket.at = now
    return bucket
  }
}
