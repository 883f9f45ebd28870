import type { Clock } from '../lib/clock.ts'

/** At once, for as many paths as there may be when a server fails. */
const capacity = 80
/** A cold handshake costs 4.5 to 7.5 ms of CPU: together with the visits in quiet, 20 paths stay below 8 % of a core. */
const perSecond = 4

/** How many connections all paths of a cluster may make beyond those of quiet times. */
export class VisitBudget {
  readonly #clock: Pick<Clock, 'monotonic'>
  #left = capacity
  #countedAt: number

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
    this.#countedAt = clock.monotonic()
  }

  /** Takes so many; false, and none taken, when there are not as many left. */
  take(connections: number): boolean {
    const now = this.#clock.monotonic()
    this.#left = Math.min(capacity, this.#left + ((now - this.#countedAt) / 1_000) * perSecond)
    this.#countedAt = now
    if (this.#left < connections) return false
    this.#left -= connections
    return true
  }
}
