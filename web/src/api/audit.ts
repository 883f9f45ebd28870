import { listAudit } from '@malleus/shared/api/audit.ts'
import { queryOptions } from '@tanstack/react-query'
import { call } from './client.ts'
import { maySee } from './session.ts'

/** The latest changes, refusals and sign-ins; of one server where it is named. */
export function latestAuditQuery(cluster: string, limit: number, member?: string) {
  return queryOptions({
    queryKey: ['audit', { cluster, limit, member }],
    enabled: () => maySee(cluster, 'audit.read'),
    queryFn: ({ signal }) => call(listAudit, { query: { cluster, limit, ...(member && { member }) } }, { signal }),
    refetchInterval: 60_000,
  })
}
