/** The latest measurements of one thing: those of the last `windowMs`, and at most `capacity` of them. */
export class RollingSamples {
  readonly #windowMs: number
  readonly #capacity: number
  #samples: { readonly value: number; readonly at: number }[] = []
  #asked: { readonly share: number; readonly at: number; readonly answer: number | null } | null = null

  /** @param capacity keeps a busy minute from costing memory or a long sort; the newest samples are kept. */
  constructor(windowMs: number, capacity = 512) {
    this.#windowMs = windowMs
    this.#capacity = capacity
  }

  /** @param at monotonic milliseconds, not before the last one's. */
  record(value: number, at: number): void {
    this.#asked = null
    this.#samples.push({ value, at })
    // Cut rarely and by much, so that recording costs nothing on average.
    if (this.#samples.length > this.#capacity * 2) this.#samples = this.#samples.slice(-this.#capacity)
  }

  /** The values still in the window, oldest first. */
  values(now: number): readonly number[] {
    const oldest = now - this.#windowMs
    return this.#samples.slice(-this.#capacity).flatMap(({ value, at }) => (at >= oldest ? [value] : []))
  }

  /** The last `count` values whatever their age, oldest first; fewer where there are not so many. */
  latest(count: number): readonly number[] {
    return this.#samples.slice(-count).map(({ value }) => value)
  }

  /**
   * The value below which that share of the window lies; null when there is none. Sorted once for all who ask between
   * two measurements, within a second.
   */
  quantile(share: number, now: number): number | null {
    const asked = this.#asked
    if (asked !== null && asked.share === share && now >= asked.at && now - asked.at < AGREED_MS) return asked.answer
    const answer = quantile(this.values(now), share)
    this.#asked = { share, at: now, answer }
    return answer
  }

  /** Forgets all but the last `count`, when what came before no longer describes the present. */
  keepLatest(count: number): void {
    this.#asked = null
    this.#samples = this.#samples.slice(-count)
  }
}

const AGREED_MS = 1_000

/** The smallest of the values that is not below that share of them (nearest rank); null when there is none. */
export function quantile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null
}
