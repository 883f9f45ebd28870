import { z } from 'zod'

/** An instant on the wire: RFC 3339 in UTC with milliseconds. */
export const Instant = z.iso.datetime({ offset: true })

/**
 * How current something is. `fresh`: read within its normal interval. `stale`: the last known value, true as of that
 * instant. `unavailable`: nothing is known, and why, in words for people.
 */
export const Freshness = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('fresh'), asOf: Instant }),
  z.object({ kind: z.literal('stale'), asOf: Instant, reason: z.string() }),
  z.object({ kind: z.literal('unavailable'), reason: z.string() }),
])
export type Freshness = z.infer<typeof Freshness>

/** A value that may be old or missing. `value` is null exactly when the freshness is `unavailable`. */
export type Known<T> =
  | { readonly value: T; readonly freshness: Exclude<Freshness, { kind: 'unavailable' }> }
  | { readonly value: null; readonly freshness: Extract<Freshness, { kind: 'unavailable' }> }

export function known<T extends z.ZodType>(value: T) {
  return z.union([
    z.object({ value, freshness: z.union([Freshness.options[0], Freshness.options[1]]) }),
    z.object({ value: z.null(), freshness: Freshness.options[2] }),
  ])
}
