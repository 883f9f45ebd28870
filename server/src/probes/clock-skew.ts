/** How far a member's clock is ahead of ours, in milliseconds, and how far the truth may be from it either way. */
export interface ClockSkew {
  readonly skewMs: number
  readonly errorMs: number
}

interface Bound {
  readonly least: number
  readonly most: number
}

/**
 * Measures clock skew from `Date` headers, which only have whole seconds (RFC 9110, 6.6.1). Each answer gives bounds:
 * the member wrote its date at some moment between our question and its answer, and its clock then stood somewhere in
 * that second. Questions come at odd moments of the second, so after some ten of them the bounds are close together.
 */
export class ClockSkewMeter {
  #bounds: Bound[] = []
  #common: Bound | null = null

  /** Wall-clock times in milliseconds: when the question was written, when its answer came, and the date in it. */
  note(askedAt: number, answeredAt: number, date: number): void {
    this.#bounds.push({ least: date - answeredAt, most: date + 1_000 - askedAt })
    if (this.#bounds.length > KEPT) this.#bounds.shift()
    // A clock that was set: the old bounds and the new ones cannot both be true.
    if (commonTo(this.#bounds) === null) this.#bounds = this.#bounds.slice(-1)
    this.#common = commonTo(this.#bounds)
  }

  /** Null before the first answer. */
  get skew(): ClockSkew | null {
    const common = this.#common
    if (common === null) return null
    return {
      skewMs: Math.round((common.least + common.most) / 2),
      errorMs: Math.ceil((common.most - common.least) / 2),
    }
  }
}

function commonTo(bounds: readonly Bound[]): Bound | null {
  if (bounds.length === 0) return null
  const least = Math.max(...bounds.map((bound) => bound.least))
  const most = Math.min(...bounds.map((bound) => bound.most))
  return least <= most ? { least, most } : null
}

const KEPT = 60
