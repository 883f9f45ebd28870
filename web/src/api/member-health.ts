import type { HealthRange } from '@malleus/shared/api/member-health.ts'
import { getMemberHealth } from '@malleus/shared/api/member-health.ts'
import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { call } from './client.ts'
import { maySee } from './session.ts'

/** What probes showed of one server. Read again with each change of its health, and as its pieces of time grow. */
export function memberHealthQuery(cluster: string, member: string, range: HealthRange) {
  return queryOptions({
    queryKey: ['cluster', cluster, 'member', member, 'health', range],
    enabled: () => maySee(cluster, 'member.read'),
    queryFn: ({ signal }) => call(getMemberHealth, { params: { cluster, member }, query: { range } }, { signal }),
    refetchInterval: range === '1h' ? 10_000 : 60_000,
    placeholderData: keepPreviousData,
  })
}
