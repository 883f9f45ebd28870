import { z } from 'zod'
import { Standing, Symptom } from '../domain/health.ts'
import { endpoint } from './endpoint.ts'
import { Finding } from './finding.ts'
import { Instant } from './freshness.ts'

/** One of the servers that hold the cluster database, as the cluster last said. */
export const DatabaseHolder = z.object({
  name: z.string(),
  /** Whether it was said to lead. */
  leads: z.boolean(),
  /** Since when it has not answered this console, and why; null while it does. */
  missing: z.object({ since: Instant, symptom: Symptom.nullable() }).nullable(),
})
export type DatabaseHolder = z.infer<typeof DatabaseHolder>

/**
 * Whether the cluster database answers; `unknown` before anybody asked. Lost because of:
 *
 * - `quorum`: too few of the servers that hold it are left. It comes back with them, or by hand.
 * - `leader-gone`: the server that leads it has ended; another takes over within seconds.
 * - `leader-silent`: the server that leads it is stopped or cut off, which the others notice in half a minute or more.
 * - `unexplained`: nothing that is seen explains it, or who holds it is not known.
 */
export const ClusterDatabase = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('unknown') }),
  z.object({ kind: z.literal('answers') }),
  z.object({
    kind: z.literal('lost'),
    since: Instant,
    cause: z.enum(['quorum', 'leader-gone', 'leader-silent', 'unexplained']),
    /** Empty while it is not known who holds it. */
    holders: z.array(DatabaseHolder),
    /** When the cluster said who holds it. */
    rolesAsOf: Instant.nullable(),
  }),
])
export type ClusterDatabase = z.infer<typeof ClusterDatabase>

export const ClusterSummary = z.object({
  name: z.string(),
  /** Whether at least one member answers. */
  reachable: z.boolean(),
  /** False for a single server that is not part of a cluster. */
  clustered: z.boolean().nullable(),
  members: z.object({ total: z.int(), answering: z.int() }),
  /** The worst standing among its members. */
  worst: Standing,
  mode: z.enum(['bearer', 'certificate']),
  version: z.string().nullable(),
  /** The cluster database does not answer on any member: reading goes on from last known rows, changing does not. */
  databaseAvailable: z.boolean().nullable(),
  database: ClusterDatabase,
  /** Fewer than half of the members answer. */
  panic: z.boolean(),
  /** Most members answer late in the same moments: no member's fault, so none is called slow for it. */
  lateTogether: z.boolean(),
  certificate: z.object({ expiresAt: Instant }).nullable(),
  /** How long after its last heartbeat the cluster calls a server Offline; null where that may not be seen. */
  offlineThresholdSeconds: z.number().nullable(),
  /** What an administrator should know about the way this console is connected, in words. */
  findings: z.array(Finding),
})
export type ClusterSummary = z.infer<typeof ClusterSummary>

export const listClusters = endpoint({
  method: 'GET',
  path: '/clusters',
  summary: 'The clusters that this console watches and the person may see.',
  reply: z.object({ clusters: z.array(ClusterSummary) }),
})

/** What was measured of this console's own work for a cluster. Values are null until there is something to measure. */
export const ClusterFigures = z.object({
  /** When this replica began to count. */
  since: Instant,
  /** Requests of people in the last hour. */
  requests: z.object({ served: z.int(), failed: z.int(), hedged: z.int() }),
  /** The slowest 1 % of people's reads took at least this long, in milliseconds, in the last hour. */
  slowest1Ms: z.number().nullable(),
  /** The same of the console's own direct questions to single members that answered. */
  directSlowest1Ms: z.number().nullable(),
})
export type ClusterFigures = z.infer<typeof ClusterFigures>

export const getFigures = endpoint({
  method: 'GET',
  path: '/clusters/:cluster/figures',
  summary: 'What this console measured of its own work for the cluster in the last hour.',
  reply: ClusterFigures,
})
