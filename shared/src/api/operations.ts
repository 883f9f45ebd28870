import { z } from 'zod'
import { endpoint } from './endpoint.ts'
import { Freshness, Instant } from './freshness.ts'

/** Incus's background work, wherever in the cluster it runs and whoever started it. */
export const Operation = z.object({
  id: z.string(),
  /** As Incus describes it, e.g. "Evacuating cluster member". */
  description: z.string(),
  /** `unknown`: it was running and Incus no longer knows it, so nobody saw how it ended. */
  status: z.enum(['pending', 'running', 'cancelling', 'success', 'failure', 'cancelled', 'unknown']),
  /** Whether what became of one whose end is unknown is being looked for now. */
  looking: z.boolean(),
  /** What that has shown, from the object it worked on; null where it shows nothing, or was not looked for. */
  found: z.enum(['done', 'not-done']).nullable(),
  /** The server it runs on; null on a server that is not clustered. */
  location: z.string().nullable(),
  /** Null where it belongs to the cluster. */
  project: z.string().nullable(),
  /** By the clock of its server, like the next. */
  createdAt: Instant,
  /** When its progress last changed; not when it ended, which Incus does not say. */
  updatedAt: Instant,
  /** When the console heard how it is, by the console's own clock: of two states of it, the one heard later is so. */
  heardAt: Instant,
  /** When the console heard that it had ended; null while it runs, and where nobody saw it. */
  endedAt: Instant.nullable(),
  /** What it is doing now, in Incus's words; e.g. `Migrating "web-07" in project "default" to "server2"`. */
  progress: z.string().nullable(),
  /** 0 to 100 where Incus tells. */
  percent: z.number().nullable(),
  /** Why it failed, in Incus's words. */
  error: z.string().nullable(),
  mayCancel: z.boolean(),
  /** Paths of the objects it works on, e.g. `/1.0/cluster/members/server3`. */
  resources: z.array(z.string()),
  /** Who started it, where that is known; `here` when it was through this console. */
  startedBy: z.object({ name: z.string(), here: z.boolean() }).nullable(),
})
export type Operation = z.infer<typeof Operation>

export function isFinished({ status }: Pick<Operation, 'status'>): boolean {
  return status !== 'pending' && status !== 'running' && status !== 'cancelling'
}

/** How current what is known of the operations of one server is, and how many of the listed ones are on it. */
export const OperationMember = z.object({ name: z.string(), freshness: Freshness, count: z.int() })
export type OperationMember = z.infer<typeof OperationMember>

/** Answered from what was last known: no server that does not answer is waited for. */
export const listOperations = endpoint({
  method: 'GET',
  path: '/clusters/:cluster/operations',
  summary: 'Background work in the cluster: what runs, and what ended in the last minutes.',
  reply: z.object({ operations: z.array(Operation), freshness: Freshness, members: z.array(OperationMember) }),
})

/**
 * What the person saw of operations is kept for 30 days, and of each cluster not more than 10,000. In pieces, in the
 * order of change: ask with the `revision` of the last piece for the next one, and later for what has changed since.
 */
export const listKeptOperations = endpoint({
  method: 'GET',
  path: '/clusters/:cluster/kept-operations',
  summary: 'Background work of the last 30 days that the person may see and saw, in the order in which it changed.',
  query: z.strictObject({ since: z.coerce.number().int().min(0).default(0) }),
  reply: z.object({
    operations: z.array(Operation),
    revision: z.int(),
    /** Whether there is another piece. */
    more: z.boolean(),
  }),
})

export const getOperation = endpoint({
  method: 'GET',
  path: '/clusters/:cluster/operations/:operation',
  summary: 'One operation, with what Incus said of it last.',
  reply: z.object({
    operation: Operation,
    /** In Incus's own form; what may hold a secret is left out. Null where Incus has not told it yet. */
    told: z.record(z.string(), z.unknown()).nullable(),
  }),
})

/** Asks Incus to cancel it, once. It has ended when its status says so. */
export const cancelOperation = endpoint({
  method: 'POST',
  path: '/clusters/:cluster/operations/:operation/cancel',
  summary: 'Cancels background work, where Incus allows it.',
  body: z.strictObject({
    /** The project that it belongs to, as it was told; null where it belongs to the cluster. */
    project: z.string().max(256).nullable(),
  }),
  reply: z.object({ operation: Operation }),
})
