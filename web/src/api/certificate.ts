import { getCertificate } from '@malleus/shared/api/certificate.ts'
import type { Target } from '@malleus/shared/domain/target.ts'
import { queryOptions } from '@tanstack/react-query'
import { call } from './client.ts'
import { maySee } from './session.ts'

export function certificateQuery(cluster: string, target: Target) {
  return queryOptions({
    queryKey: ['cluster', cluster, 'certificate', target],
    enabled: () => maySee(cluster, 'certificate.read'),
    queryFn: ({ signal }) => call(getCertificate, { params: { cluster } }, { signal, target }),
    refetchInterval: 60_000,
  })
}
