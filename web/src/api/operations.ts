import { isFinished, listOperations, type Operation } from '@malleus/shared/api/operations.ts'
import type { ReplyOf } from '@malleus/shared/api/endpoint.ts'
import { queryOptions, type QueryClient } from '@tanstack/react-query'
import { call } from './client.ts'
import { maySee } from './session.ts'

export type OperationList = ReplyOf<typeof listOperations>

export function operationListQuery(cluster: string) {
  return queryOptions({
    queryKey: ['cluster', cluster, 'operations'],
    enabled: () => maySee(cluster, 'operation.list'),
    queryFn: ({ signal }) => call(listOperations, { params: { cluster } }, { signal }),
    refetchInterval: 30_000,
  })
}

/** Of what has ended no more are at hand than the console tells; the rest is among what is kept. */
const mostEnded = 500

/** The list with one operation as it is now; what was heard before what we have is not believed. */
export function withOperation(list: OperationList, operation: Operation): OperationList {
  const before = list.operations.find(({ id }) => id === operation.id)
  if (before === undefined) return { ...list, operations: withoutSurplus([operation, ...list.operations]) }
  if (Date.parse(before.heardAt) > Date.parse(operation.heardAt)) return list
  const operations = list.operations.map((row) => (row.id === operation.id ? operation : row))
  return { ...list, operations }
}

/** The newest come first. */
function withoutSurplus(operations: Operation[]): Operation[] {
  if (operations.length <= 2 * mostEnded) return operations
  let ended = 0
  return operations.filter((operation) => !isFinished(operation) || (ended += 1) <= mostEnded)
}

export function putOperation(client: QueryClient, cluster: string, operation: Operation): void {
  const fresh = { kind: 'fresh', asOf: operation.heardAt } as const
  client.setQueryData(operationListQuery(cluster).queryKey, (list) =>
    withOperation(list ?? { operations: [], freshness: fresh, members: [] }, operation),
  )
}
