import { cancelOperation, getOperation, listKeptOperations, type Operation } from '@malleus/shared/api/operations.ts'
import type { Target } from '@malleus/shared/domain/target.ts'
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { call } from './client.ts'
import { putOperation } from './operations.ts'
import { maySee } from './session.ts'

/** What the person saw of operations in the last 30 days; beside it stands the list of what runs now. */
export interface KeptOperations {
  readonly revision: number
  readonly operations: readonly Operation[]
}

/** More pieces than there can be: of each cluster ten thousand are kept. */
const mostPieces = 20

/** Read in pieces the first time, and later only what has changed since. */
export function keptOperationsQuery(cluster: string) {
  const queryKey = ['cluster', cluster, 'kept-operations'] as const
  return queryOptions({
    queryKey,
    enabled: () => maySee(cluster, 'operation.list'),
    queryFn: async ({ signal, client }): Promise<KeptOperations> => {
      let kept = client.getQueryData<KeptOperations>(queryKey) ?? { revision: 0, operations: [] }
      for (let pieces = 0; pieces < mostPieces; pieces += 1) {
        const query = { since: kept.revision }
        const piece = await call(listKeptOperations, { params: { cluster }, query }, { signal })
        kept = { revision: piece.revision, operations: mergeOperations(kept.operations, piece.operations) }
        if (!piece.more) break
      }
      return kept
    },
    // Rows that did not change are the same objects already; comparing ten thousand of them again would be felt.
    structuralSharing: false,
    refetchInterval: 60_000,
  })
}

export function operationQuery(cluster: string, operation: string) {
  return queryOptions({
    queryKey: ['cluster', cluster, 'operation', operation],
    enabled: () => maySee(cluster, 'operation.read'),
    queryFn: ({ signal }) => call(getOperation, { params: { cluster, operation } }, { signal }),
  })
}

/** Asks to cancel one; the same key however often it is pressed, so that it is asked for once. */
export function useCancelOperation(cluster: string, operation: Operation, target: Target) {
  const client = useQueryClient()
  const { id, project } = operation
  return useMutation({
    mutationFn: (idempotencyKey: string) =>
      call(cancelOperation, { params: { cluster, operation: id }, body: { project } }, { target, idempotencyKey }),
    onSuccess: (reply) => putOperation(client, cluster, reply.operation),
  })
}

/** Both lists as one. Of two states of one operation, the one that was heard later; rows that stay keep their identity. */
export function mergeOperations(some: readonly Operation[], others: readonly Operation[]): readonly Operation[] {
  if (others.length === 0) return some
  const later = new Map(others.map((row) => [row.id, row]))
  const kept = some.map((row) => {
    const other = later.get(row.id)
    if (other === undefined) return row
    later.delete(row.id)
    return Date.parse(other.heardAt) < Date.parse(row.heardAt) ? row : other
  })
  return [...kept, ...later.values()]
}
