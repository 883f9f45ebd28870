import type { Finding } from '@malleus/shared/api/finding.ts'
import type { ClusterDatabase, ClusterSummary } from '@malleus/shared/api/clusters.ts'
import type { Standing } from '@malleus/shared/domain/health.ts'
import { isAnswering, worstStanding } from '@malleus/shared/domain/health.ts'
import { instant } from '../lib/clock.ts'

/** What the parts of a cluster know at one moment. */
export interface ClusterNow {
  readonly name: string
  readonly mode: 'bearer' | 'certificate'
  readonly standings: readonly Standing[]
  /** Null while it is not known. */
  readonly clustered: boolean | null
  readonly version: string | null
  readonly database: ClusterDatabase
  readonly panic: boolean
  readonly lateTogether: boolean
  /** Wall clock, milliseconds. */
  readonly certificateExpiresAt: number | null
  /** Null where the cluster's configuration may not be seen. */
  readonly offlineThresholdSeconds: number | null
  readonly findings: readonly Finding[]
}

/**
 * The same for who does not see the servers: that the database is lost, and why, without their names; and without what
 * administrators should know of how the console is connected.
 */
export function withoutServers(summary: ClusterSummary): ClusterSummary {
  const { database } = summary
  const unnamed = { ...summary, findings: [] }
  return database.kind === 'lost' ? { ...unnamed, database: { ...database, holders: [], rolesAsOf: null } } : unnamed
}

/** A cluster in a few words. A suspect answers too, if late, and so it is reachable through it. */
export function clusterSummary(now: ClusterNow): ClusterSummary {
  const { name, mode, standings, clustered, version, database, panic, certificateExpiresAt } = now
  const answering = standings.filter((standing) => isAnswering(standing) || standing === 'suspect').length
  return {
    name,
    reachable: answering > 0,
    clustered,
    members: { total: standings.length, answering },
    worst: worstStanding(standings),
    mode,
    version,
    databaseAvailable: database.kind === 'unknown' ? null : database.kind === 'answers',
    database,
    panic,
    lateTogether: now.lateTogether,
    certificate: certificateExpiresAt === null ? null : { expiresAt: instant(certificateExpiresAt) },
    offlineThresholdSeconds: now.offlineThresholdSeconds,
    findings: [...now.findings],
  }
}
