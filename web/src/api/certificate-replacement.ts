import {
  changePins,
  checkCertificate,
  discardKey,
  getReplacement,
  prepareKey,
  replaceCertificate,
} from '@malleus/shared/api/certificate-replacement.ts'
import type { BodyOf, InputOf } from '@malleus/shared/api/endpoint.ts'
import type { Target } from '@malleus/shared/domain/target.ts'
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { call } from './client.ts'
import { maySee } from './session.ts'

/** The latest replacement, and keys that wait for their certificate. Below the certificate's key: it changes with it. */
export function replacementQuery(cluster: string) {
  return queryOptions({
    queryKey: ['cluster', cluster, 'certificate', 'replacement'],
    enabled: () => maySee(cluster, 'certificate.read'),
    queryFn: ({ signal }) => call(getReplacement, { params: { cluster } }, { signal }),
    // While it goes on the stream tells of each server; this is for what the stream may miss.
    refetchInterval: ({ state }) => (state.data?.latest?.endedAt === null ? 2_000 : 60_000),
  })
}

/** Nothing that was given stays in a cache: it may be a private key. */
const forgetful = { gcTime: 0, retry: false } as const

export function useCheckCertificate(cluster: string) {
  return useMutation({
    ...forgetful,
    mutationFn: (body: InputOf<typeof checkCertificate>['body']) =>
      call(checkCertificate, { params: { cluster }, body }),
  })
}

export function useReplaceCertificate(cluster: string, target: Target) {
  const again = useReadAgain(cluster)
  return useMutation({
    ...forgetful,
    mutationFn: ({ key: idempotencyKey, body }: { key: string; body: BodyOf<typeof replaceCertificate> }) =>
      call(replaceCertificate, { params: { cluster }, body }, { target, idempotencyKey }),
    onMutate: again,
    onSettled: again,
  })
}

export function usePrepareKey(cluster: string) {
  const again = useReadAgain(cluster)
  return useMutation({
    mutationFn: (body: BodyOf<typeof prepareKey>) => call(prepareKey, { params: { cluster }, body }),
    onSettled: again,
  })
}

export function useDiscardKey(cluster: string) {
  const again = useReadAgain(cluster)
  return useMutation({
    mutationFn: (key: string) => call(discardKey, { params: { cluster, key }, body: {} }),
    onSettled: again,
  })
}

export function useChangePins(cluster: string) {
  const again = useReadAgain(cluster)
  return useMutation({
    mutationFn: (body: BodyOf<typeof changePins>) => call(changePins, { params: { cluster }, body }),
    onSettled: again,
  })
}

function useReadAgain(cluster: string): () => void {
  const client = useQueryClient()
  return () => void client.invalidateQueries({ queryKey: ['cluster', cluster, 'certificate'] })
}
