import { RollingSamples } from './rolling-samples.ts'

/** Milliseconds; how far the hedge delay may be from what was measured, and what it is before anything was. */
export interface HedgeDelayBounds {
  readonly leastMs: number
  readonly mostMs: number
  readonly withoutDataMs: number
}

const BOUNDS: HedgeDelayBounds = { leastMs: 30, mostMs: 300, withoutDataMs: 100 }
const WINDOW_MS = 60_000
/** A sort of 512 numbers takes some 50 µs; once per second and class it is nothing, once per request it would show. */
const KEEP_MS = 1_000

/**
 * How long answers take per class of route, and from that how long to wait before a second member is asked as well:
 * the 95th percentile of the last minute, so that one read in twenty is hedged while all is well.
 */
export class RouteLatency {
  readonly #bounds: HedgeDelayBounds
  readonly #classes = new Map<string, { samples: RollingSamples; p95: number | null; at: number }>()

  constructor(bounds: HedgeDelayBounds = BOUNDS) {
    this.#bounds = bounds
  }

  /**
   * Notes an answer, from its first attempt on.
   *
   * @param routeClass e.g. the path template, so that quick and slow kinds of question are not mixed
   * @param now monotonic milliseconds
   */
  record(routeClass: string, answerMs: number, now: number): void {
    let known = this.#classes.get(routeClass)
    if (known === undefined) {
      known = { samples: new RollingSamples(WINDOW_MS), p95: null, at: -Infinity }
      this.#classes.set(routeClass, known)
    }
    known.samples.record(answerMs, now)
  }

  /** The 95th percentile of the last minute in milliseconds; null without answers. At most a second old. */
  p95(routeClass: string, now: number): number | null {
    const known = this.#classes.get(routeClass)
    if (known === undefined) return null
    if (known.p95 === null || now - known.at >= KEEP_MS) {
      known.p95 = known.samples.quantile(0.95, now)
      known.at = now
    }
    return known.p95
  }

  /** How long to wait for the first member before a second one is asked, in milliseconds. */
  hedgeDelayMs(routeClass: string, now: number): number {
    const measured = this.p95(routeClass, now)
    if (measured === null) return this.#bounds.withoutDataMs
    return Math.min(this.#bounds.mostMs, Math.max(this.#bounds.leastMs, measured))
  }
}
