/**
 * How often something took how long, in steps of two per cent, so that an hour of any load fits in a few kilobytes and
 * its quantiles are right to two per cent.
 */
export class Histogram {
  readonly #counts = new Map<number, number>()
  #total = 0

  record(ms: number): void {
    const step = Math.ceil(Math.log(Math.max(ms, LEAST_MS) / LEAST_MS) / STEP)
    this.#counts.set(step, (this.#counts.get(step) ?? 0) + 1)
    this.#total += 1
  }

  get total(): number {
    return this.#total
  }

  counts(): ReadonlyMap<number, number> {
    return this.#counts
  }
}

const LEAST_MS = 0.01
const STEP = Math.log(1.02)

/** The value below which that share of all of them lies, in milliseconds; null when there is nothing in them. */
export function quantileOf(histograms: readonly Histogram[], share: number): number | null {
  const total = histograms.reduce((sum, histogram) => sum + histogram.total, 0)
  if (total === 0) return null
  const counts = new Map<number, number>()
  for (const histogram of histograms) {
    for (const [step, count] of histogram.counts()) counts.set(step, (counts.get(step) ?? 0) + count)
  }
  let left = Math.ceil(total * share)
  for (const [step, count] of [...counts].toSorted(([a], [b]) => a - b)) {
    left -= count
    if (left <= 0) return LEAST_MS * Math.exp(step * STEP)
  }
  return null
}
