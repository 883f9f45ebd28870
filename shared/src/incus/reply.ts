import { z } from 'zod'

/**
 * The envelope of every JSON answer of Incus. It always carries all keys, with zero values where they do not apply, so
 * that only `type` tells which kind it is (incus `shared/api/response.go`, `internal/server/response/response.go`).
 */
const Sync = z.object({ type: z.literal('sync'), metadata: z.unknown() })

const Async = z.object({
  type: z.literal('async'),
  /** Path of the operation; may end in `?project=…` when the answering member forwarded the request. */
  operation: z.string().min(1),
  /** The whole operation. */
  metadata: z.unknown(),
})

const Failure = z.object({
  type: z.literal('error'),
  error: z.string().default(''),
  /** The HTTP status again. `status_code` is 0 in errors. */
  error_code: z.number().default(0),
})

export const IncusReply = z.discriminatedUnion('type', [Sync, Async, Failure])
export type IncusReply = z.infer<typeof IncusReply>

/**
 * A list of Incus, which says `null` for an empty one.
 *
 * @example listOf(IncusMember).parse(null) // []
 */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z
    .array(item)
    .nullish()
    .transform((list) => list ?? [])
}

/** A map of Incus, such as `config` or `devices`, which may be `null` or missing for an empty one. */
export function mapOf<Value extends z.ZodType>(value: Value) {
  return z
    .record(z.string(), value)
    .nullish()
    .transform((map) => map ?? {})
}

/** What a change answers that has nothing to tell: `{}`, `null`, or an object nobody reads. */
export const Nothing = z.unknown().transform(() => null)
