import { z } from 'zod'
import { IncusOperation } from './operation.ts'

const Requestor = z.looseObject({
  username: z.string().default(''),
  /** tls, oidc, unix, or empty for Incus's own tasks. */
  protocol: z.string().default(''),
  address: z.string().default(''),
})

const common = {
  timestamp: z.string(),
  /** The member where it happened; absent on a server that is not clustered. */
  location: z.string().default(''),
  project: z.string().default(''),
}

const LifecycleEvent = z.looseObject({
  ...common,
  type: z.literal('lifecycle'),
  metadata: z.looseObject({
    action: z.string(),
    /** Path of the object, e.g. `/1.0/cluster/members/server3`. */
    source: z.string(),
    name: z.string().optional(),
    project: z.string().optional(),
    /** What else there is to say, such as the `old_name` of what was renamed. */
    context: z.record(z.string(), z.unknown()).nullish().catch(null),
    /** Missing for many changes: synchronous instance updates name nobody. */
    requestor: Requestor.nullish(),
  }),
})
export type LifecycleEvent = z.infer<typeof LifecycleEvent>

const OperationEvent = z.looseObject({ ...common, type: z.literal('operation'), metadata: IncusOperation })
export type OperationEvent = z.infer<typeof OperationEvent>

/**
 * One message of `GET /1.0/events`, of the two types that are asked for. Logging events are never asked for with the
 * rest: at debug level they carry private keys and tokens (incus `doc/events.md`).
 */
export const IncusEvent = z.discriminatedUnion('type', [LifecycleEvent, OperationEvent])
export type IncusEvent = z.infer<typeof IncusEvent>
