import { z } from 'zod'
import { endpoint } from './endpoint.ts'
import { Freshness, Instant } from './freshness.ts'

/**
 * One instance in the list. What is not known is null: as long as only its name is, and for good where its server has
 * never told it. How current the rest is, its server's freshness says.
 */
export const Instance = z.object({
  name: z.string(),
  project: z.string(),
  /** The server it is on. */
  location: z.string().nullable(),
  /** container, virtual-machine */
  type: z.string().nullable(),
  /** Running, Stopped, Frozen, Error; kept as Incus says it. */
  status: z.string().nullable(),
  /** Set where this row is older than its server's freshness says: as of when it is true. */
  asOf: Instant.optional(),
  architecture: z.string().nullable(),
  profiles: z.array(z.string()).nullable(),
  description: z.string().nullable(),
  /** What it was made from, in words; empty where it was made from no image. */
  image: z.string().nullable(),
  /** Addresses that its configuration gives it; an instance may have got others by itself. */
  addresses: z.array(z.string()).nullable(),
  createdAt: Instant.nullable(),
  /** Null also for one that never ran. */
  lastUsedAt: Instant.nullable(),
})
export type Instance = z.infer<typeof Instance>

export const InstanceMember = z.object({
  name: z.string(),
  /** How current the rows of this server's instances are. */
  freshness: Freshness,
  /** How many instances are known to be on it. */
  count: z.int(),
})
export type InstanceMember = z.infer<typeof InstanceMember>

/** Names an instance among all of a cluster. */
export function instanceKey({ project, name }: Pick<Instance, 'project' | 'name'>): string {
  return `${project}/${name}`
}

/**
 * Every instance that the person may see, in all projects. Answered from what was last known, so that no server that
 * does not answer is waited for; `resource-changed` and `instances-changed` in the live stream tell when to ask again.
 */
export const listInstances = endpoint({
  method: 'GET',
  path: '/clusters/:cluster/instances',
  summary: 'Every instance of the cluster, from what was last known, with how current that is per server.',
  query: z.strictObject({
    /** `revision` of an earlier answer, to be told only what has changed since. */
    since: z.string().max(64).optional(),
  }),
  reply: z.object({
    revision: z.string(),
    /** Whether these are all, or only what has changed since the revision that was asked for. */
    whole: z.boolean(),
    instances: z.array(Instance),
    /** Keys of those that are no more, where not all are told. */
    gone: z.array(z.string()),
    /** Which instances there are: fresh when the list was read, unavailable when not even their names are known. */
    freshness: Freshness,
    members: z.array(InstanceMember),
  }),
})
