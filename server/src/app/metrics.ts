import { X509Certificate } from 'node:crypto'
import { badness } from '@malleus/shared/domain/health.ts'
import type { CertificateAlerts } from '../alerts/certificate-alerts.ts'
import type { AuditLog } from '../audit/audit-log.ts'
import type { KnownCertificate } from '../alerts/known-certificate.ts'
import { certificateExpiresAt } from '../certificates/cluster-certificates.ts'
import type { FeedFact } from '../events/event-feed.ts'
import type { Scope } from '../gateway/scope.ts'
import type { HealthChange } from '../health/health-board.ts'
import type { ClusterIngest } from '../ingest/cluster-ingest.ts'
import type { LabelValues, Sample } from '../lib/instruments.ts'
import type { LiveHub } from '../live/live-hub.ts'
import type { Sessions } from '../session/sessions.ts'
import type { ClusterRooms } from './cluster-rooms.ts'
import type { ClusterWatch } from './cluster-watch.ts'
import type { ConsoleMetrics, StreamAuthority } from './console-metrics.ts'
import { isNamed } from './console-metrics.ts'
import {
  certificateMetrics,
  consoleMetrics,
  healthMetrics,
  memberMetrics,
  requestMetrics,
  streamMetrics,
} from './metric-definitions.ts'
import type { Watches } from './watches.ts'

export interface Measured {
  readonly rooms: ReadonlyMap<string, ClusterRooms>
  readonly watches: Pick<Watches, 'all'>
  readonly history: Pick<AuditLog, 'waiting' | 'isAvailable' | 'strangersPassedOver' | 'subscribe'>
  readonly sessions: Pick<Sessions, 'openCount' | 'subscribe'>
  readonly hub: Pick<LiveHub, 'streams'>
  /** By cluster. */
  readonly ingests: ReadonlyMap<string, Pick<ClusterIngest, 'requestLog'>>
  readonly version: string
  /** PEM of what browsers are shown; null without TLS. */
  readonly certificate: string | null
  readonly isReady: () => boolean
  readonly alerts: Pick<CertificateAlerts, 'watched' | 'sinks'>
}

/** Lets the metrics hear of, and ask for, everything that is measured of this console. Returns what ends it. */
export function measure(metrics: ConsoleMetrics, measured: Measured): () => void {
  const { rooms, history, sessions } = measured
  readConsole(metrics, measured)
  readStreams(metrics, measured)
  readClusters(metrics, rooms)
  readMembers(metrics, rooms)
  const ends = [
    history.subscribe(() => metrics.recorded()),
    sessions.subscribe(({ kind }) => metrics.sessionEnded(kind)),
    ...[...rooms].flatMap(([cluster, { parts }]) => [
      parts.prober.onRecord(({ member, record }) => metrics.probed(cluster, member, record)),
      parts.cluster.board.subscribe((change) => hearBoard(metrics, cluster, change)),
    ]),
  ]
  return () => {
    for (const end of ends) end()
  }
}

/** Counts what a live view of a cluster may have missed, for as long as there is one. */
export function measureGaps(
  metrics: ConsoleMetrics,
  cluster: string,
  watch: Pick<ClusterWatch, 'scope' | 'feed'>,
): void {
  const authority = authorityOf(watch.scope)
  metrics.listening(cluster, authority)
  watch.feed.subscribe((fact: FeedFact) => {
    if (fact.kind === 'gap') metrics.missed(cluster, authority, fact.to - fact.from)
  })
}

function authorityOf({ kind }: Scope): StreamAuthority {
  return kind === 'console' ? 'console' : 'person'
}

function hearBoard(metrics: ConsoleMetrics, cluster: string, change: HealthChange): void {
  if (change.kind !== 'member') return
  const { member, before, after } = change
  if (after === null) metrics.memberLeft(cluster, member)
  else if (after.standing !== before?.standing) metrics.standingChanged(cluster, member, after.standing)
}

function readConsole({ instruments }: ConsoleMetrics, measured: Measured): void {
  const { history, sessions, version, certificate, isReady, alerts } = measured
  const endsAt = certificate === null ? null : new X509Certificate(certificate).validToDate.getTime()
  instruments.read(consoleMetrics.build, () => [{ labels: [version], value: 1 }])
  instruments.read(consoleMetrics.ready, () => one(Number(isReady())))
  instruments.read(consoleMetrics.sessions, () => one(sessions.openCount))
  instruments.read(consoleMetrics.auditWaiting, () => one(history.waiting))
  instruments.read(consoleMetrics.auditAvailable, () => one(Number(history.isAvailable)))
  instruments.read(consoleMetrics.strangers, () => one(history.strangersPassedOver))
  instruments.read(certificateMetrics.console, () => one(secondsOf(endsAt)))
  instruments.read(certificateMetrics.soonest, () => soonestOf(alerts.watched(() => true)))
  instruments.read(consoleMetrics.alertsWaiting, () =>
    alerts.sinks().map(({ sink, waiting }) => ({ labels: [sink], value: waiting })),
  )
}

/** The one of each cluster and kind that ends first. */
function soonestOf(
  certificates: readonly KnownCertificate[],
): readonly Sample<typeof certificateMetrics.soonest.labels>[] {
  const soonest = new Map<string, KnownCertificate>()
  for (const certificate of certificates) {
    const key = JSON.stringify([certificate.cluster, certificate.kind])
    const other = soonest.get(key)
    if (other === undefined || certificate.expiresAt < other.expiresAt) soonest.set(key, certificate)
  }
  return [...soonest.values()].map(({ cluster, kind, expiresAt }) => ({
    labels: [cluster ?? '', kind],
    value: expiresAt / 1000,
  }))
}

function readStreams({ instruments }: ConsoleMetrics, { rooms, watches, hub, ingests }: Measured): void {
  instruments.read(streamMetrics.live, () => one(hub.streams))
  instruments.read(streamMetrics.requestLogs, () =>
    [...ingests].map(([cluster, { requestLog }]) => ({
      labels: [cluster] as const,
      value: requestLog.members.filter(({ isReading }) => isReading).length,
    })),
  )
  instruments.read(streamMetrics.events, () => {
    const open = new Map<string, { labels: LabelValues<readonly ['cluster', 'authority']>; value: number }>()
    for (const cluster of rooms.keys()) {
      for (const authority of ['console', 'person'] as const) {
        open.set(`${cluster} ${authority}`, { labels: [cluster, authority], value: 0 })
      }
    }
    for (const { cluster, watch } of watches.all()) {
      const found = open.get(`${cluster} ${authorityOf(watch.scope)}`)
      if (found !== undefined) found.value += watch.feed.members.length
    }
    return [...open.values()]
  })
}

function readClusters({ instruments }: ConsoleMetrics, rooms: ReadonlyMap<string, ClusterRooms>): void {
  const ofEach = (read: (room: ClusterRooms) => number | null) => () =>
    [...rooms].flatMap(([cluster, room]) => some([cluster], read(room)))
  instruments.read(
    healthMetrics.database,
    ofEach(({ parts }) => asNumber(parts.cluster.board.databaseAvailable)),
  )
  instruments.read(
    healthMetrics.panic,
    ofEach(({ parts }) => Number(parts.cluster.board.panic)),
  )
  instruments.read(
    requestMetrics.budget,
    ofEach(({ parts }) => parts.load().budget),
  )
  instruments.read(
    requestMetrics.withheld,
    ofEach(({ parts }) => parts.load().withheld),
  )
  instruments.read(
    certificateMetrics.cluster,
    ofEach((room) => secondsOf(certificateExpiresAt(room.certificateFacts()))),
  )
  const identities = new Map(
    [...rooms].map(([cluster, { parts }]) => {
      const { identity } = parts.cluster
      return [cluster, identity && new X509Certificate(identity.certificate).validToDate.getTime()]
    }),
  )
  instruments.read(certificateMetrics.identity, () =>
    [...identities].flatMap(([cluster, endsAt]) => some([cluster], secondsOf(endsAt))),
  )
}

function readMembers({ instruments }: ConsoleMetrics, rooms: ReadonlyMap<string, ClusterRooms>): void {
  const ofEach = (read: (room: ClusterRooms, member: string) => number | null) => () =>
    [...rooms].flatMap(([cluster, room]) =>
      membersOf(room).flatMap((member) => some([cluster, member], read(room, member))),
    )
  instruments.read(
    healthMetrics.standing,
    ofEach(({ parts }, member) => badness(parts.cluster.board.current(member).standing)),
  )
  instruments.read(
    healthMetrics.answer,
    ofEach(({ parts }, member) => {
      const answerMs = parts.cluster.board.answerMs(member)
      return answerMs === null ? null : answerMs / 1000
    }),
  )
  instruments.read(healthMetrics.symptom, () =>
    [...rooms].flatMap(([cluster, room]) =>
      membersOf(room).flatMap((member): Sample<readonly ['cluster', 'member', 'symptom']>[] => {
        const { symptom } = room.parts.cluster.board.current(member)
        return symptom === null ? [] : [{ labels: [cluster, member, symptom], value: 1 }]
      }),
    ),
  )
  instruments.read(
    certificateMetrics.member,
    ofEach(({ parts }, member) => secondsOf(parts.prober.presented(member)?.certificate.validToDate.getTime() ?? null)),
  )
  const loads = (value: 'taken' | 'waiting' | 'most') => () =>
    [...rooms].flatMap(([cluster, room]) => {
      const members = new Set(membersOf(room))
      return room.parts
        .load()
        .members.filter(({ member }) => members.has(member))
        .map(({ member, kind, [value]: n }) => ({ labels: [cluster, member, kind] as const, value: n }))
    })
  instruments.read(memberMetrics.inFlight, loads('taken'))
  instruments.read(memberMetrics.inFlightMost, loads('most'))
  instruments.read(memberMetrics.waiting, loads('waiting'))
}

function membersOf({ parts }: ClusterRooms): readonly string[] {
  return [...parts.cluster.board.snapshot().keys()].filter(isNamed)
}

function one(value: number | null): readonly Sample<readonly []>[] {
  return some([], value)
}

/** What is not known is left out: a zero would say something else. */
function some<Labels extends readonly string[]>(
  labels: LabelValues<Labels>,
  value: number | null,
): readonly Sample<Labels>[] {
  return value === null ? [] : [{ labels, value }]
}

function secondsOf(ms: number | null | undefined): number | null {
  return ms === null || ms === undefined ? null : ms / 1000
}

function asNumber(value: boolean | null): number | null {
  return value === null ? null : Number(value)
}
