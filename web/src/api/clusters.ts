import { getFigures, listClusters } from '@malleus/shared/api/clusters.ts'
import { queryOptions } from '@tanstack/react-query'
import { call } from './client.ts'
import { maySee } from './session.ts'

export const clusterListQuery = queryOptions({
  queryKey: ['clusters'],
  queryFn: ({ signal }) => call(listClusters, {}, { signal }),
  refetchInterval: 30_000,
})

export function figuresQuery(cluster: string) {
  return queryOptions({
    queryKey: ['cluster', cluster, 'figures'],
    enabled: () => maySee(cluster, 'member.list'),
    queryFn: ({ signal }) => call(getFigures, { params: { cluster } }, { signal }),
    refetchInterval: 5000,
  })
}
