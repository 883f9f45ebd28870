import { countAudit, getAuditRecord, getHistorySources, listAudit, listAuditValues } from '@malleus/shared/api/audit.ts'
import type { ReplyOf } from '@malleus/shared/api/endpoint.ts'
import type { HistoryField } from '@malleus/shared/domain/history-filter.ts'
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { call } from './client.ts'
import { maySee } from './session.ts'

/** What the page of the access history asks for. */
export interface HistoryQuestion {
  readonly cluster: string
  /** In its one written form; empty for everything. */
  readonly filter: string
  readonly reads: boolean
  readonly order: 'newest' | 'oldest'
}

export type Histogram = ReplyOf<typeof countAudit>
export type HistoryRecordView = ReplyOf<typeof getAuditRecord>

const pageSize = 60
/** More is not read again when something new is recorded: what was read before does not change. */
const mostPages = 20

/** Pages of records, each where the one before ended. */
export function historyPagesQuery({ cluster, filter, reads, order }: HistoryQuestion) {
  return infiniteQueryOptions({
    queryKey: ['audit', 'pages', { cluster, filter, reads, order }],
    enabled: () => maySee(cluster, 'audit.read'),
    queryFn: ({ signal, pageParam }) =>
      call(
        listAudit,
        {
          query: {
            cluster,
            filter,
            reads: reads ? 'true' : 'false',
            order,
            limit: pageSize,
            ...(pageParam !== null && { cursor: pageParam }),
          },
        },
        { signal },
      ),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }, pages) => (pages.length < mostPages * 50 ? next : null),
    placeholderData: keepPreviousData,
    // The live stream tells when there is something; this is for those who have none.
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 0) <= 2 ? 15_000 : false),
    staleTime: 5_000,
  })
}

/** How many records there are over a time; the newest first where they have to be counted one by one. */
export function histogramQuery(question: Omit<HistoryQuestion, 'order'> & { from: string; to: string; bars: number }) {
  const { cluster, filter, reads, from, to, bars } = question
  const queryKey = ['audit', 'histogram', question] as const
  return queryOptions({
    queryKey,
    enabled: () => maySee(cluster, 'audit.read'),
    queryFn: async ({ signal, client }): Promise<Histogram> => {
      const query = { cluster, filter, reads: reads ? ('true' as const) : ('false' as const) }
      let counted = await call(countAudit, { query: { ...query, from, to, bars } }, { signal })
      while (counted.countedFrom !== null) {
        client.setQueryData(queryKey, counted)
        const [first] = counted.bars
        const left = counted.bars.filter(({ at }) => at < (counted.countedFrom ?? ''))
        if (first === undefined || left.length === 0) break
        const rest = { ...query, from: first.at, to: counted.countedFrom, bars: left.length }
        const more = await call(countAudit, { query: rest }, { signal })
        counted = {
          ...counted,
          countedFrom: more.countedFrom,
          bars: [...more.bars, ...counted.bars.slice(left.length)],
        }
      }
      return counted
    },
    placeholderData: keepPreviousData,
    staleTime: 5_000,
    refetchInterval: 60_000,
  })
}

export function historyValuesQuery(cluster: string, field: HistoryField | null, begins: string) {
  return queryOptions({
    queryKey: ['audit-values', { cluster, field, begins }],
    enabled: () => field !== null && maySee(cluster, 'audit.read'),
    queryFn: async ({ signal }) => {
      if (field === null) return []
      return (await call(listAuditValues, { query: { cluster, field, begins } }, { signal })).values
    },
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  })
}

/** What the history hears of a cluster beside what is done here, and what it does not hear now. */
export function historySourcesQuery(cluster: string) {
  return queryOptions({
    queryKey: ['audit', { cluster, sources: true }],
    enabled: () => maySee(cluster, 'audit.read'),
    queryFn: ({ signal }) => call(getHistorySources, { params: { cluster } }, { signal }),
    refetchInterval: 10_000,
  })
}

/** @param place chain and number, as in `8c1f…:42`. */
export function historyRecordQuery(cluster: string, place: string) {
  const [chain = '', seq = ''] = place.split(':')
  return queryOptions({
    queryKey: ['audit', 'record', place],
    enabled: () => maySee(cluster, 'audit.read'),
    queryFn: ({ signal }) => call(getAuditRecord, { params: { chain, seq } }, { signal }),
  })
}
