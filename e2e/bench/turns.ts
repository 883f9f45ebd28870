/** When a side takes its turn, in milliseconds from the beginning. */
export interface Turn<Side> {
  readonly side: Side
  readonly dueAt: number
}

/** Turns of several sides, each at a steady rate of its own, none together with another where it can be helped; the earliest first. */
export function takeTurns<Side extends { readonly perSecond: number }>(
  sides: readonly Side[],
  ms: number,
): readonly Turn<Side>[] {
  const turns = sides.flatMap((side, index) => {
    const gapMs = 1_000 / side.perSecond
    // By the share of its gap that is the share of its place, so that sides of one rate are evenly between each other.
    const first = (gapMs * index) / sides.length
    const count = Math.ceil((ms - first) / gapMs)
    return Array.from({ length: Math.max(0, count) }, (_, turn) => ({ side, dueAt: first + turn * gapMs }))
  })
  return turns.toSorted((a, b) => a.dueAt - b.dueAt)
}
