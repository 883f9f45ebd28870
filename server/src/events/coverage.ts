/**
 * Which stretch of time has been listened to without a hole. Incus neither numbers nor repeats its events, so all that
 * can be said is when at least one stream was open and known to be alive; what lies outside is announced as a gap.
 */
export interface Coverage {
  /** Until when nothing can have been missed; null before the first stream opened. */
  readonly until: number | null
  /** Open streams: when each opened. */
  readonly open: ReadonlyMap<string, number>
}

export interface Hole {
  readonly from: number
  readonly to: number
}

export interface CoverageStep {
  readonly coverage: Coverage
  /** Set when a stretch of time has just turned out not to have been listened to. */
  readonly hole: Hole | null
}

export const nothingCovered: Coverage = { until: null, open: new Map() }

export function streamOpened(coverage: Coverage, stream: string, at: number): CoverageStep {
  const open = new Map(coverage.open).set(stream, at)
  return settle({ until: coverage.until ?? at, open })
}

/** A frame, be it an event or a ping, proves that the stream was alive at that moment. */
export function frameArrived(coverage: Coverage, stream: string, at: number): Coverage {
  const openedAt = coverage.open.get(stream)
  if (openedAt === undefined || coverage.until === null || openedAt > coverage.until) return coverage
  return { ...coverage, until: Math.max(coverage.until, at) }
}

export function streamClosed(coverage: Coverage, stream: string): CoverageStep {
  const open = new Map(coverage.open)
  open.delete(stream)
  return settle({ until: coverage.until, open })
}

/** Once no open stream reaches back to what is covered, the time up to the oldest open one is a hole. */
function settle(coverage: Coverage): CoverageStep {
  const { until, open } = coverage
  const oldest = Math.min(...open.values())
  if (until === null || open.size === 0 || oldest <= until) return { coverage, hole: null }
  return { coverage: { until: oldest, open }, hole: { from: until, to: oldest } }
}
