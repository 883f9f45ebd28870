// What is said of many numbers. Pure.

/** The value that `share` (0 to 1) of the values do not exceed, by nearest rank: always one that was measured. NaN of nothing. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const rank = Math.max(1, Math.ceil(share * sorted.length))
  return sorted[rank - 1] ?? Number.NaN
}

/** The value in the middle; the mean of the two in the middle of an even number of values. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2
}

/** NaN of nothing. */
export function maximum(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), values.length === 0 ? Number.NaN : -Infinity)
}

/** NaN of nothing. */
export function minimum(values: readonly number[]): number {
  return values.reduce((least, value) => Math.min(least, value), values.length === 0 ? Number.NaN : Infinity)
}

/** A point in time and what was measured there. */
export interface Sample {
  readonly at: number
  readonly value: number
}

/** How much the value rises while `at` rises by one; the truth lies between `low` and `high` in 95 of 100 cases. */
export interface Slope {
  readonly slope: number
  readonly low: number
  readonly high: number
}

/**
 * The Theil-Sen slope: the median of the slopes between all pairs, which one jump or one odd sample does not bend, with
 * Sen's interval (Sen 1968, "Estimates of the regression coefficient based on Kendall's tau"). All NaN when there are
 * fewer than two samples at different times.
 */
export function theilSen(samples: readonly Sample[]): Slope {
  const slopes: number[] = []
  for (const [index, one] of samples.entries()) {
    for (const other of samples.slice(index + 1)) {
      if (other.at !== one.at) slopes.push((other.value - one.value) / (other.at - one.at))
    }
  }
  const sorted = slopes.toSorted((a, b) => a - b)
  const n = samples.length
  const spread = 1.96 * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18)
  const lowest = Math.max(0, Math.floor((sorted.length - spread) / 2))
  const highest = Math.min(sorted.length - 1, Math.ceil((sorted.length + spread) / 2))
  return { slope: median(sorted), low: sorted[lowest] ?? Number.NaN, high: sorted[highest] ?? Number.NaN }
}
