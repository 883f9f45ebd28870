import { badness, standings } from '@malleus/shared/domain/health.ts'
import type { AuditLog } from '../audit/audit-log.ts'
import { certificateExpiresAt } from '../certificates/cluster-certificates.ts'
import { DoorMetrics } from '../http/metrics.ts'
import type { LiveHub } from '../live/live-hub.ts'
import type { ClusterRooms } from './cluster-rooms.ts'

/** What Prometheus is told: the door's own counts, the process, and what is believed of each cluster and member. */
export function createMetrics(
  rooms: ReadonlyMap<string, ClusterRooms>,
  history: Pick<AuditLog, 'waiting' | 'isAvailable'>,
  hub: Pick<LiveHub, 'streams'>,
): DoorMetrics {
  const metrics = new DoorMetrics()
  metrics.addProcess()
  metrics.gauge('malleus_live_streams', 'Live streams that are open to browsers.', () => hub.streams)
  metrics.gauge('malleus_audit_waiting', 'Records that wait to be durable.', () => history.waiting)
  metrics.gauge('malleus_audit_available', 'Whether the access history can be written: 1 or 0.', () =>
    Number(history.isAvailable),
  )
  metrics.gauges(
    'malleus_member_standing',
    `What is believed of a member: ${standings.map((standing, at) => `${at} ${standing}`).join(', ')}.`,
    ['cluster', 'member', 'symptom'],
    () =>
      each(rooms, (cluster, { parts }) =>
        [...parts.cluster.board.snapshot()].map(([member, { standing, symptom }]) => ({
          labels: { cluster, member, symptom: symptom ?? '' },
          value: badness(standing),
        })),
      ),
  )
  metrics.gauges(
    'malleus_member_answer_seconds',
    'Median of its answers to probes in the last minute.',
    ['cluster', 'member'],
    () =>
      each(
        rooms,
        (
          cluster,
          {
            parts: {
              cluster: { board },
            },
          },
        ) =>
          [...board.snapshot().keys()].flatMap((member) => {
            const answerMs = board.answerMs(member)
            return answerMs === null ? [] : [{ labels: { cluster, member }, value: answerMs / 1000 }]
          }),
      ),
  )
  metrics.gauges(
    'malleus_cluster_database_available',
    'Whether the cluster database answers on any member: 1 or 0.',
    ['cluster'],
    () =>
      each(rooms, (cluster, { parts }) => {
        const available = parts.cluster.board.databaseAvailable
        return available === null ? [] : [{ labels: { cluster }, value: Number(available) }]
      }),
  )
  metrics.gauges(
    'malleus_cluster_certificate_expiry_timestamp_seconds',
    'When the cluster certificate expires.',
    ['cluster'],
    () =>
      each(rooms, (cluster, room) => {
        const expiresAt = certificateExpiresAt(room.certificateFacts())
        return expiresAt === null ? [] : [{ labels: { cluster }, value: expiresAt / 1000 }]
      }),
  )
  for (const outcome of ['served', 'failed', 'hedged'] as const) {
    metrics.gauges(
      `malleus_cluster_requests_${outcome}_last_hour`,
      `Requests of people to the cluster in the last hour that were ${outcome}.`,
      ['cluster'],
      () =>
        each(rooms, (cluster, { parts }) => [{ labels: { cluster }, value: parts.figures.view().requests[outcome] }]),
    )
  }
  return metrics
}

function each<Value>(
  rooms: ReadonlyMap<string, ClusterRooms>,
  read: (cluster: string, room: ClusterRooms) => readonly Value[],
): readonly Value[] {
  return [...rooms].flatMap(([cluster, room]) => read(cluster, room))
}
