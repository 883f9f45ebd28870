import type { Clock } from '../lib/clock.ts'
import { networkOf } from '../lib/network-of.ts'
import type { AuditEntry } from './record.ts'

const MINUTE_MS = 60_000
const MOST_ADDRESSES = 1000

/**
 * Refusals of people nobody knows: one record per address (of IPv6: per /64) and minute, and at most a thousand in a minute, so
 * that strangers can neither fill the access history nor, by filling its queue, stop what others do.
 */
export class StrangerQueue {
  readonly #clock: Clock
  #minute = Number.NaN
  #seen = new Set<string>()
  #waiting: { readonly entry: AuditEntry; readonly at: number }[] = []
  /** Refusals that got no record of their own, since the start. */
  passedOver = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether it will be recorded. */
  add(entry: AuditEntry): boolean {
    const at = this.#clock.now()
    const minute = Math.floor(at / MINUTE_MS)
    if (minute !== this.#minute) {
      this.#minute = minute
      this.#seen = new Set()
    }
    // Whoever has one address of IPv6 has a whole network of them.
    const address = networkOf(entry.src.ip ?? '')
    if (this.#seen.has(address) || this.#seen.size >= MOST_ADDRESSES || this.#waiting.length >= MOST_ADDRESSES) {
      this.passedOver += 1
      return false
    }
    this.#seen.add(address)
    this.#waiting.push({ entry, at })
    return true
  }

  /** Takes some out, oldest first. */
  take(most: number): readonly { readonly entry: AuditEntry; readonly at: number }[] {
    return this.#waiting.splice(0, most)
  }

  get size(): number {
    return this.#waiting.length
  }
}
