/**
 * How often something took how long, in steps of five per cent: its quantiles are right to two and a half per cent, an
 * hour of a healthy server fits in some fifty bytes, and several of them add up to one, which percentiles do not.
 */
export class AnswerTimes {
  readonly #counts = new Map<number, number>()
  /** The steps that occurred, ascending; null when a new one came since they were sorted. */
  #steps: readonly number[] | null = []
  #count = 0
  #slowestMs = 0

  record(ms: number): void {
    this.#add(stepOf(ms), 1)
    this.#slowestMs = Math.max(this.#slowestMs, ms)
  }

  merge(other: AnswerTimes): void {
    for (const [step, count] of other.#counts) this.#add(step, count)
    this.#slowestMs = Math.max(this.#slowestMs, other.#slowestMs)
  }

  get count(): number {
    return this.#count
  }

  /** The longest of all, in milliseconds; null when there is none. */
  get slowestMs(): number | null {
    return this.#count === 0 ? null : this.#slowestMs
  }

  /** The value below which that share of all of them lies, in milliseconds; null when there is none. */
  quantile(share: number): number | null {
    let left = Math.max(1, Math.ceil(this.#count * share))
    for (const step of this.#ascending()) {
      left -= this.#counts.get(step) ?? 0
      // The middle of the step, but never more than the longest of all was.
      if (left <= 0) return Math.min(LEAST_MS * STEP ** (step - 0.5), this.#slowestMs)
    }
    return null
  }

  /** As whole numbers, to be kept: the longest in microseconds, and each step that occurred with its count. */
  toNumbers(): readonly number[] {
    const numbers = [Math.round(this.#slowestMs * 1_000), this.#counts.size]
    let before = 0
    for (const step of this.#ascending()) {
      numbers.push(step - before, this.#counts.get(step) ?? 0)
      before = step
    }
    return numbers
  }

  /** Takes its numbers from the beginning of `numbers`, which loses them. */
  static takeFrom(numbers: Iterator<number>): AnswerTimes {
    const times = new AnswerTimes()
    const slowestMs = take(numbers) / 1_000
    const size = take(numbers)
    let step = 0
    const steps: number[] = []
    for (let n = 0; n < size; n += 1) {
      step += take(numbers)
      times.#add(step, take(numbers))
      steps.push(step)
    }
    times.#steps = steps
    times.#slowestMs = slowestMs
    return times
  }

  #add(step: number, count: number): void {
    const before = this.#counts.get(step)
    if (before === undefined) this.#steps = null
    this.#counts.set(step, (before ?? 0) + count)
    this.#count += count
  }

  /** Sorted once for all quantiles: a page asks for thousands of them. */
  #ascending(): readonly number[] {
    this.#steps ??= [...this.#counts.keys()].toSorted((a, b) => a - b)
    return this.#steps
  }
}

const LEAST_MS = 0.01
const MOST_MS = 3_600_000
const STEP = 1.05

/** Step n holds what took longer than step n - 1 and at most five per cent more than that. */
function stepOf(ms: number): number {
  const within = Math.min(Math.max(ms, LEAST_MS), MOST_MS)
  return Math.max(0, Math.ceil(Math.log(within / LEAST_MS) / Math.log(STEP)))
}

function take(numbers: Iterator<number>): number {
  const next = numbers.next()
  if (next.done === true) throw new RangeError('numbers of answer times are missing')
  return next.value
}
