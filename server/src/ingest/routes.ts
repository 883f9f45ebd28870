import { getHistorySources } from '@malleus/shared/api/audit.ts'
import type { Route } from '../http/route.ts'
import { route } from '../http/route.ts'
import { instant } from '../lib/clock.ts'
import type { ClusterIngest } from './cluster-ingest.ts'

export function ingestRoutes(of: (cluster: string) => Pick<ClusterIngest, 'requestLog' | 'deaf'>): readonly Route[] {
  return [
    route({
      endpoint: getHistorySources,
      action: 'audit.read',
      class: 'read',
      handler: (_, { params: { cluster } }) => {
        const { requestLog, deaf } = of(cluster)
        const { off, members } = requestLog
        return Promise.resolve({
          requests: {
            off,
            servers: members.map(({ member, isReading, linesPerSecond, failure }) => ({
              member,
              isRead: isReading,
              linesPerSecond,
              reason: failure,
            })),
          },
          deaf: deaf.map(({ member, from, reason }) => ({ member, since: instant(from), reason })),
        })
      },
    }),
  ]
}
