import { type Sample, type Slope, theilSen } from './statistics.ts'

/** What is said of memory over time. */
export interface Flatness {
  /** Per hour. */
  readonly slope: Slope
  readonly verdict: 'kept' | 'missed' | 'undecided'
}

/**
 * Whether a line of samples (at: hours) is flat: with 95 % certainty it rises by no more than `perHour`. It is not flat
 * when it certainly rises by more; a run that is too short or too unsteady for either leaves it undecided.
 */
export function judgeFlatness(samples: readonly Sample[], perHour: number): Flatness {
  const slope = theilSen(samples)
  if (slope.high <= perHour) return { slope, verdict: 'kept' }
  return { slope, verdict: slope.low > perHour ? 'missed' : 'undecided' }
}

/** What is left out at the beginning of a run: its first third. What is to be flat is what comes after an hour. */
export function warmUpMinutes(runMinutes: number): number {
  return runMinutes / 3
}
