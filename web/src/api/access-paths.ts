import { listAccessPaths } from '@malleus/shared/api/access-paths.ts'
import { getFront, type FrontKind } from '@malleus/shared/api/fronts.ts'
import { queryOptions } from '@tanstack/react-query'
import { call } from './client.ts'
import { maySee } from './session.ts'

/** What changes is told by the stream; that it goes on as it was is seen by the time of the last visit. */
export function accessPathsQuery(cluster: string) {
  return queryOptions({
    queryKey: ['cluster', cluster, 'access-paths', 'list'],
    enabled: () => maySee(cluster, 'access-path.list'),
    queryFn: ({ signal }) => call(listAccessPaths, { params: { cluster } }, { signal }),
    refetchInterval: 5_000,
  })
}

/** A configuration for the servers of now. */
export function frontQuery(cluster: string, kind: FrontKind, address: string | null) {
  return queryOptions({
    queryKey: ['cluster', cluster, 'front', kind, address],
    enabled: () => maySee(cluster, 'front.read'),
    queryFn: ({ signal }) =>
      call(getFront, { params: { cluster, kind }, query: address === null ? {} : { address } }, { signal }),
  })
}
