import type { StreamEvent } from './event-stream.ts'

// Where a page stands in what happened, and what it can tell another page of what came after. Events that change
// something for good are numbered by the console without holes, `<epoch>-<seq>`; an epoch is one window of one person's
// events in one replica.

/** An event's place for a page: the one that follows, one that it has, or one before which something is missing. */
export type Place = 'next' | 'known' | 'missed'

/** @param position id of the last event that the page took; null before it has any. */
export function placeOf(id: string, position: string | null): Place {
  const [event, here] = [parseId(id), position === null ? null : parseId(position)]
  if (event === null || here === null || event.epoch !== here.epoch) return 'missed'
  if (event.seq <= here.seq) return 'known'
  return event.seq === here.seq + 1 ? 'next' : 'missed'
}

/** For pages that were opened a moment ago: longer ago than this they read everything again. */
const keptAtMost = 500

/** The last numbered events that a page took. Not changed in place. */
export type RecentEvents = readonly StreamEvent[]

/** With one more. What was before another epoch, or before a hole, continues nothing. */
export function withRecent(recent: RecentEvents, event: StreamEvent): RecentEvents {
  if (event.id === undefined) return recent
  const last = recent.at(-1)?.id
  return last !== undefined && placeOf(event.id, last) === 'next' ? [...recent, event].slice(-keptAtMost) : [event]
}

/**
 * What follows a position, in order; null when that is not known exactly.
 *
 * @param here the position of the page that answers
 */
export function recentAfter(
  recent: RecentEvents,
  here: string | null,
  position: string | null,
): readonly StreamEvent[] | null {
  if (position === null || here === null) return null
  // Whoever asks may have begun after the last event that came here.
  if (placeOf(here, position) === 'known') return []
  const at = recent.findIndex(({ id }) => id !== undefined && placeOf(id, position) === 'next')
  return at < 0 ? null : recent.slice(at)
}

function parseId(id: string): { readonly epoch: string; readonly seq: number } | null {
  const match = /^([^-]+)-(\d{1,15})$/.exec(id)
  return match?.[1] === undefined ? null : { epoch: match[1], seq: Number(match[2]) }
}
