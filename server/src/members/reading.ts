import type { Freshness, Known } from '@malleus/shared/api/freshness.ts'
import { MemberError, NoResponsiveMember } from '../gateway/member-error.ts'
import { instant } from '../lib/clock.ts'

/** Something that is read again and again: what was read last, and how the latest attempt went. Times are wall clock. */
export interface Reading<Value> {
  readonly value: Value | null
  readonly readAt: number | null
  /** Why the latest attempt failed, in words; null when it did not, or before the first. */
  readonly failure: string | null
}

export const notReadYet: Reading<never> = { value: null, readAt: null, failure: null }

/** Keeps an old value when a new one could not be had. */
export function nextReading<Value>(
  before: Reading<Value>,
  read: { readonly value: Value } | { readonly failure: string },
  now: number,
): Reading<Value> {
  return 'value' in read ? { value: read.value, readAt: now, failure: null } : { ...before, failure: read.failure }
}

/**
 * A reading as it goes over the wire. It is stale when the latest attempt failed, or when it is older than two and a
 * half of its intervals.
 *
 * @param part picks what is wanted; null when the reading does not have it
 */
export function knownFrom<Value, Part>(
  reading: Reading<Value>,
  part: (value: Value) => Part | null,
  { now, everyMs }: { readonly now: number; readonly everyMs: number },
): Known<Part> {
  if (reading.value === null || reading.readAt === null) {
    return { value: null, freshness: { kind: 'unavailable', reason: reading.failure ?? 'It has not been read yet.' } }
  }
  const value = part(reading.value)
  if (value === null) {
    return { value: null, freshness: { kind: 'unavailable', reason: 'The server does not tell it.' } }
  }
  const asOf = instant(reading.readAt)
  if (reading.failure !== null) return { value, freshness: { kind: 'stale', asOf, reason: reading.failure } }
  if (now - reading.readAt <= 2.5 * everyMs) return { value, freshness: { kind: 'fresh', asOf } }
  return { value, freshness: { kind: 'stale', asOf, reason: 'It has not been read since.' } }
}

export function unavailable(reason: string): {
  readonly value: null
  readonly freshness: Extract<Freshness, { kind: 'unavailable' }>
} {
  return { value: null, freshness: { kind: 'unavailable', reason } }
}

/** Why something could not be read, in a sentence for people. */
export function describeReadFailure(error: unknown): string {
  const cause = error instanceof NoResponsiveMember ? (error.failures.at(-1) ?? error) : error
  if (cause instanceof MemberError && cause.kind === 'incus') {
    // Incus 6.0 answers some of its refusals with status 500, and the text is all that tells.
    const refused =
      cause.status === 401 || cause.status === 403 || /restricted|not authorized|permission/i.test(cause.message)
    return refused
      ? `The cluster refuses it to the console's own identity: ${cause.message}`
      : `The server answered: ${cause.message}`
  }
  const message = cause instanceof Error ? cause.message : String(cause)
  // Names of servers are left as they are: `server3 does not answer.`
  const begun = /^(the|no|a|an|it) /.test(message) ? `${message.charAt(0).toUpperCase()}${message.slice(1)}` : message
  return /[.!?]$/.test(begun) ? begun : `${begun}.`
}
