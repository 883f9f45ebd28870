import type { Freshness } from '@malleus/shared/api/freshness.ts'
import { instant } from '../lib/clock.ts'
import type { KnownList } from './known-list.ts'

/** How the reading of a list goes, beside what it gave. Times are wall clock. */
export interface Reading {
  readonly now: number
  /** Older than this, a list should have been read again. */
  readonly everyMs: number
  /** Why the latest attempt to read the whole list failed, as a sentence; null when it did not. */
  readonly failure: string | null
}

const stillAsked = 'The cluster has not answered yet; it is still being asked.'

/** How current it is which objects there are. */
export function listFreshness(list: KnownList<unknown>, { now, everyMs, failure }: Reading): Freshness {
  const { listedAt, namedAt } = list
  if (listedAt === null) {
    if (namedAt === null) return { kind: 'unavailable', reason: failure ?? stillAsked }
    const asOf = instant(namedAt)
    return failure === null ? { kind: 'fresh', asOf } : { kind: 'stale', asOf, reason: failure }
  }
  const asOf = instant(listedAt)
  if (failure !== null) return { kind: 'stale', asOf, reason: failure }
  if (now - listedAt > 2.5 * everyMs) return { kind: 'stale', asOf, reason: 'It has not been read since.' }
  return { kind: 'fresh', asOf }
}

/**
 * How current the rows of one member are.
 *
 * @param silence why the member gives no answer now, as a sentence; null while it does. It counts at once, before any
 *   list was asked for again.
 */
export function memberFreshness(
  list: KnownList<unknown>,
  member: string,
  silence: string | null,
  reading: Reading,
): Freshness {
  if (list.listedAt === null) {
    return { kind: 'unavailable', reason: silence ?? reading.failure ?? stillAsked }
  }
  const untold = list.untold.has(member)
  // A member on which there was nothing had nothing to tell.
  const toldAt = list.toldAt.get(member) ?? (untold ? null : list.listedAt)
  const reason = silence ?? (untold ? `${member} did not answer the other servers when they asked for its part.` : null)
  if (toldAt === null) return { kind: 'unavailable', reason: reason ?? stillAsked }
  if (reason !== null) return { kind: 'stale', asOf: instant(toldAt), reason }
  const whole = listFreshness(list, reading)
  return whole.kind === 'stale' ? { ...whole, asOf: instant(toldAt) } : { kind: 'fresh', asOf: instant(toldAt) }
}
