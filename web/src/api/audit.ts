import { listAudit } from '@malleus/shared/api/audit.ts'
import { queryOptions } from '@tanstack/react-query'
import { call } from './client.ts'
import { maySee } from './session.ts'

/** One thing done is two records and often an event of Incus: so many are read for the few lines that are shown. */
const limit = 30

/** The latest changes, refusals and sign-ins; of one server where it is named. */
export function latestAuditQuery(cluster: string, member?: string) {
  return queryOptions({
    queryKey: ['audit', { cluster, member }],
    enabled: () => maySee(cluster, 'audit.read'),
    queryFn: ({ signal }) => call(listAudit, { query: { cluster, limit, ...(member && { member }) } }, { signal }),
    refetchInterval: 60_000,
  })
}

/** As many of the latest records of one server as can be asked for at once. */
export function historyAroundQuery(cluster: string, member: string) {
  return queryOptions({
    queryKey: ['audit', { cluster, member, most: true }],
    enabled: () => maySee(cluster, 'audit.read'),
    queryFn: ({ signal }) => call(listAudit, { query: { cluster, member, limit: 200 } }, { signal }),
  })
}
