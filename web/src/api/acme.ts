import { changeAcme, checkAcme, getAcme, renewAcme, type AcmeView } from '@malleus/shared/api/acme.ts'
import type { BodyOf } from '@malleus/shared/api/endpoint.ts'
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { call } from './client.ts'
import { maySee } from './session.ts'

/** Below the certificate: what tells that the one changed tells that an order has come further. */
export function acmeQuery(cluster: string) {
  return queryOptions({
    queryKey: ['cluster', cluster, 'certificate', 'acme'],
    enabled: () => maySee(cluster, 'acme.read'),
    queryFn: ({ signal }) => call(getAcme, { params: { cluster } }, { signal }),
    refetchInterval: ({ state: { data } }) => (data !== undefined && isMoving(data) ? 2_000 : 60_000),
  })
}

/** An order goes on, or what was late is there a moment later. */
function isMoving({ order, freshness }: AcmeView): boolean {
  return order?.endedAt === null || freshness.kind !== 'fresh'
}

/** What is typed here, secrets too, is in the memory of the dialog alone, and gone with it. */
export function useCheckAcme(cluster: string) {
  return useMutation({
    mutationFn: (body: BodyOf<typeof checkAcme>) => call(checkAcme, { params: { cluster }, body }),
    gcTime: 0,
  })
}

export function useChangeAcme(cluster: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ key, ...body }: BodyOf<typeof changeAcme> & { readonly key: string }) =>
      call(changeAcme, { params: { cluster }, body }, { idempotencyKey: key }),
    gcTime: 0,
    onSettled: () => client.invalidateQueries(acmeQuery(cluster)),
  })
}

export function useRenewAcme(cluster: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (key: string) => call(renewAcme, { params: { cluster }, body: {} }, { idempotencyKey: key }),
    onSettled: () => client.invalidateQueries(acmeQuery(cluster)),
  })
}
