import { X509Certificate } from 'node:crypto'
import type { Finding } from '@malleus/shared/api/finding.ts'
import type { CertificateFacts } from '../certificates/cluster-certificates.ts'
import { certificateExpiresAt } from '../certificates/cluster-certificates.ts'
import { clusterDatabase } from '../clusters/cluster-database.ts'
import type { ClusterNow } from '../clusters/clusters-view.ts'
import { connectionFindings } from '../clusters/findings.ts'
import { offlineThresholdSeconds } from '../clusters/offline-threshold.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import { HealthHistory } from '../members/health-history.ts'
import type { HealthHistoryStore } from '../members/health-history-store.ts'
import type { InstanceCounts } from '../members/members.ts'
import { Members } from '../members/members.ts'
import { ReportedByCluster } from '../members/reported-by-cluster.ts'
import { ServerFacts } from '../members/server-facts.ts'
import type { ClusterCertificates } from './cluster-certificates.ts'
import type { ClusterParts } from './cluster-parts.ts'
import type { ClusterRecords } from './cluster-records.ts'
import type { ClusterTrust } from './cluster-trust.ts'

/** What the features of one cluster answer from. */
export interface ClusterRooms {
  readonly parts: ClusterParts
  readonly members: Members
  readonly healthHistory: HealthHistory
  readonly records: ClusterRecords
  readonly trust: ClusterTrust
  readonly certificates: ClusterCertificates
  /** What is known of the certificate at this moment. */
  certificateFacts(): CertificateFacts
  /** The cluster in a few words at this moment. */
  now(): ClusterNow
}

export function createClusterRooms(
  parts: ClusterParts,
  store: HealthHistoryStore,
  records: ClusterRecords,
  clusterTrust: ClusterTrust,
  certificates: ClusterCertificates,
  instanceCounts: () => InstanceCounts | null,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): ClusterRooms {
  const { cluster, reported, prober, discovery, readings } = parts
  const { name, mode, directory, board, gateway } = cluster
  const serverFacts = new ServerFacts({ gateway, readings, clock })
  const reportedByCluster = new ReportedByCluster({
    gateway,
    reported,
    isDatabaseLost: () => board.databaseAvailable === false,
    learn: (members) => void discovery.learn(members),
    clock,
  })
  const members = new Members({
    directory,
    board,
    readings,
    probed: prober,
    reportedByCluster,
    serverFacts,
    instanceCounts,
    refresh: () => void discovery.refresh(),
    learnStandalone: (server, via) => discovery.learnStandalone(server, via),
    clock,
  })

  function certificateFacts(): CertificateFacts {
    return { ...certificates.facts(), identity: cluster.identity, findings: findings() }
  }

  function findings(): Finding[] {
    const standings = [...board.snapshot()]
    const { value: entry } = readings.identity
    return connectionFindings(
      {
        mode,
        identity: cluster.identity && {
          restricted: entry?.restricted ?? null,
          type: entry?.type ?? null,
          projects: entry?.projects ?? [],
          expiresAt: new X509Certificate(cluster.identity.certificate).validToDate.getTime(),
        },
        refusals: directory.list().flatMap((member) => {
          const message = prober.identityRefused(member.name)
          return message === null ? [] : [{ member: member.name, message }]
        }),
        withoutOidc: standings.filter(([, health]) => !health.evidence.authorized).map(([member]) => member),
        untrusted: standings.filter(([, { standing }]) => standing === 'untrusted').map(([member]) => member),
        config: readings.anyServer.value?.config ?? null,
        audience: cluster.audience,
        certificateExpiresAt: certificateExpiresAt(certificates.facts()),
        // That the database does not answer is told as such, and in more words.
        discoveryFailure:
          discovery.status.kind === 'failed' && board.databaseAvailable !== false ? discovery.status.reason : null,
      },
      clock.now(),
    )
  }

  function now(): ClusterNow {
    return {
      name,
      mode,
      standings: [...board.snapshot().values()].map(({ standing }) => standing),
      clustered: discovery.clustered,
      version: readings.anyServer.value?.environment?.server_version ?? null,
      database: clusterDatabase({
        available: board.databaseAvailable,
        goneSince: board.databaseGoneSince,
        reported: reported.latest,
        health: (member) => board.current(member),
      }),
      panic: board.panic,
      lateTogether: board.lateTogether,
      certificateExpiresAt: certificateExpiresAt(certificates.facts()),
      offlineThresholdSeconds: offlineThresholdSeconds(readings.anyServer.value?.config ?? null),
      findings: findings(),
    }
  }

  return {
    parts,
    members,
    healthHistory: new HealthHistory({ cluster: name, board, store, clock, logger }),
    records,
    trust: clusterTrust,
    certificates,
    certificateFacts,
    now,
  }
}
