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
  /** The server it runs on; null on a server that is not clustered. */
  location: z.string().nullable(),
  project: z.string().nullable(),
  createdAt: Instant,
  updatedAt: Instant,
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

export function isFinished(operation: Operation): boolean {
  return operation.status !== 'pending' && operation.status !== 'running' && operation.status !== 'cancelling'
}

export const listOperations = endpoint({
  method: 'GET',
  path: '/clusters/:cluster/operations',
  summary: 'Background work in the cluster: what runs, and what ended in the last minutes.',
  reply: z.object({ operations: z.array(Operation), freshness: Freshness }),
})
