import type { ClusterFigures } from '@malleus/shared/api/clusters.ts'
import type { Clock } from '../lib/clock.ts'
import { instant } from '../lib/clock.ts'
import { Histogram, quantileOf } from './histogram.ts'

/** One answered or failed request of a person to the cluster. */
export interface ServedRequest {
  /** False when the console or the cluster failed to answer it (status 500 and above), not when it was refused. */
  readonly ok: boolean
  readonly hedged: boolean
  /** For a read: milliseconds from the request to its answer; null for anything else. */
  readonly readMs: number | null
}

interface Minute {
  readonly index: number
  served: number
  failed: number
  hedged: number
  readonly reads: Histogram
  readonly direct: Histogram
}

const MINUTES = 60
const MINUTE_MS = 60_000
/** Fewer than these, and the slowest of a hundred says nothing. */
const ENOUGH = 20

/** What this replica measured of its own work for one cluster, in the last hour. */
export class Figures {
  readonly #clock: Clock
  readonly #since: number
  #minutes: Minute[] = []

  constructor(clock: Clock) {
    this.#clock = clock
    this.#since = clock.now()
  }

  served({ ok, hedged, readMs }: ServedRequest): void {
    const minute = this.#now()
    if (ok) minute.served += 1
    else minute.failed += 1
    if (hedged) minute.hedged += 1
    if (ok && readMs !== null) minute.reads.record(readMs)
  }

  /** A question of the console itself to a single member, which answered after so many milliseconds. */
  direct(answerMs: number): void {
    this.#now().direct.record(answerMs)
  }

  view(): ClusterFigures {
    this.#now()
    const sum = (of: (minute: Minute) => number) => this.#minutes.reduce((total, minute) => total + of(minute), 0)
    return {
      since: instant(this.#since),
      requests: {
        served: sum(({ served }) => served),
        failed: sum(({ failed }) => failed),
        hedged: sum(({ hedged }) => hedged),
      },
      slowest1Ms: slowest(this.#minutes.map(({ reads }) => reads)),
      directSlowest1Ms: slowest(this.#minutes.map(({ direct }) => direct)),
    }
  }

  #now(): Minute {
    // Monotonic: a clock that is set must not tear a hole into the hour.
    const index = Math.floor(this.#clock.monotonic() / MINUTE_MS)
    const latest = this.#minutes.at(-1)
    if (latest?.index === index) return latest
    const minute = { index, served: 0, failed: 0, hedged: 0, reads: new Histogram(), direct: new Histogram() }
    this.#minutes = [...this.#minutes.filter((each) => each.index > index - MINUTES), minute]
    return minute
  }
}

function slowest(histograms: readonly Histogram[]): number | null {
  const total = histograms.reduce((sum, histogram) => sum + histogram.total, 0)
  const ms = total < ENOUGH ? null : quantileOf(histograms, 0.99)
  return ms === null ? null : Math.round(ms * 100) / 100
}
