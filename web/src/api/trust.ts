import type { BodyOf } from '@malleus/shared/api/endpoint.ts'
import {
  addTrustEntry,
  changeTrustSetting,
  createTrustToken,
  getTrust,
  getTrustEntry,
  removeTrustEntry,
  rotateIdentity,
  updateTrustEntry,
  withdrawTrustToken,
  type TrustEntry,
  type TrustView,
} from '@malleus/shared/api/trust.ts'
import type { Target } from '@malleus/shared/domain/target.ts'
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { call } from './client.ts'
import { maySee } from './session.ts'

/** Incus tells when an entry changes, and nothing when a token is used: those are read again now and then. */
export function trustQuery(cluster: string, target: Target) {
  return queryOptions({
    queryKey: ['cluster', cluster, 'trust', target],
    enabled: () => maySee(cluster, 'trust.list'),
    queryFn: ({ signal }) => call(getTrust, { params: { cluster } }, { signal, target }),
    // What was late is there a moment later.
    refetchInterval: ({ state }) => (isOld(state.data) ? 2_000 : 15_000),
  })
}

function isOld(trust: TrustView | undefined): boolean {
  return trust !== undefined && (trust.freshness.kind !== 'fresh' || trust.tokensFreshness.kind !== 'fresh')
}

/** One entry as it is now, with what a change of it has to name. */
export function trustEntryQuery(cluster: string, fingerprint: string) {
  return queryOptions({
    queryKey: ['cluster', cluster, 'trust', 'entry', fingerprint],
    queryFn: ({ signal }) => call(getTrustEntry, { params: { cluster, fingerprint } }, { signal }),
    staleTime: 0,
  })
}

/** Makes a token. What comes back is in the memory of the dialog alone, and gone with it. */
export function useCreateToken(cluster: string, target: Target) {
  const again = useReadAgain(cluster)
  return useMutation({
    mutationFn: ({ key, ...body }: BodyOf<typeof createTrustToken> & { readonly key: string }) =>
      call(createTrustToken, { params: { cluster }, body }, { target, idempotencyKey: key }),
    gcTime: 0,
    onSettled: again,
  })
}

export function useAddTrust(cluster: string, target: Target) {
  const again = useReadAgain(cluster)
  return useMutation({
    mutationFn: ({ key, ...body }: BodyOf<typeof addTrustEntry> & { readonly key: string }) =>
      call(addTrustEntry, { params: { cluster }, body }, { target, idempotencyKey: key }),
    onSettled: again,
  })
}

export function useUpdateTrust(cluster: string, fingerprint: string, target: Target) {
  const again = useReadAgain(cluster)
  return useMutation({
    mutationFn: ({ key, ...body }: BodyOf<typeof updateTrustEntry> & { readonly key: string }) =>
      call(updateTrustEntry, { params: { cluster, fingerprint }, body }, { target, idempotencyKey: key }),
    onSettled: again,
  })
}

/** How the removal of one entry ended. */
export interface Removal {
  readonly entry: TrustEntry
  readonly error: Error | null
}

/** Removes one after the other, each with a record of its own; one that fails does not keep the others. */
export function useRemoveTrust(cluster: string, target: Target) {
  const again = useReadAgain(cluster)
  return useMutation({
    mutationFn: async (entries: readonly { readonly entry: TrustEntry; readonly key: string }[]) => {
      const removals: Removal[] = []
      for (const { entry, key } of entries) {
        const params = { cluster, fingerprint: entry.fingerprint }
        const error = await call(removeTrustEntry, { params, body: {} }, { target, idempotencyKey: key }).then(
          () => null,
          (thrown: unknown) => (thrown instanceof Error ? thrown : new Error(String(thrown))),
        )
        removals.push({ entry, error })
      }
      return removals
    },
    onSettled: again,
  })
}

export function useWithdrawToken(cluster: string, target: Target) {
  const again = useReadAgain(cluster)
  return useMutation({
    mutationFn: ({ id, key }: { readonly id: string; readonly key: string }) =>
      call(withdrawTrustToken, { params: { cluster, operation: id }, body: {} }, { target, idempotencyKey: key }),
    onSettled: again,
  })
}

/** Puts one key right, as a finding says. */
export function useChangeSetting(cluster: string, target: Target) {
  const again = useReadAgain(cluster)
  return useMutation({
    mutationFn: ({
      key: idempotencyKey,
      setting,
    }: {
      readonly key: string
      readonly setting: BodyOf<typeof changeTrustSetting>
    }) => call(changeTrustSetting, { params: { cluster }, body: setting }, { target, idempotencyKey }),
    onSettled: again,
  })
}

/** Gives the console another identity. */
export function useRotateIdentity(cluster: string) {
  const again = useReadAgain(cluster)
  const client = useQueryClient()
  return useMutation({
    mutationFn: (idempotencyKey: string) => call(rotateIdentity, { params: { cluster }, body: {} }, { idempotencyKey }),
    onSettled: async () => {
      await Promise.all([again(), client.invalidateQueries({ queryKey: ['cluster', cluster, 'certificate'] })])
    },
  })
}

function useReadAgain(cluster: string): () => Promise<void> {
  const client = useQueryClient()
  return () => client.invalidateQueries({ queryKey: ['cluster', cluster, 'trust'] })
}
