import { countAudit, getAuditRecord, listAudit, listAuditValues } from '@malleus/shared/api/audit.ts'
import { parseHistoryFilter, withHistoryValue } from '@malleus/shared/domain/history-filter.ts'
import type { HistoryFilter } from '@malleus/shared/domain/history-filter.ts'
import { route } from '../http/route.ts'
import type { RequestContext, Route } from '../http/route.ts'
import { instant } from '../lib/clock.ts'
import { FilterRefused } from './filter-refused.ts'
import type { HistoryQuestion, HistorySearch } from './history-search.ts'
import type { RecordView } from './record-view.ts'
import type { HistoryVerification } from './verification.ts'

/** Whose records a person may see. */
export interface VisibleHistory {
  readonly clusters: readonly string[]
  /** Also records that belong to no cluster: sign-ins, refusals at the door, starts and stops. */
  readonly withoutCluster: boolean
}

export interface AuditRouteParts {
  readonly search: Pick<HistorySearch, 'page' | 'histogram' | 'gaps' | 'values' | 'now'>
  readonly records: RecordView
  readonly verification: Pick<HistoryVerification, 'report'>
  /** Policy's answer, for the cluster that is asked for or for all. */
  readonly visibleTo: (principal: RequestContext['principal']) => VisibleHistory
}

const DAY_MS = 86_400_000
const MOST_GAPS = 200

export function auditRoutes({ search, records, verification, visibleTo }: AuditRouteParts): readonly Route[] {
  /** Sign-ins belong to no cluster, and to the story of each. */
  const seenIn = ({ principal }: RequestContext, cluster: string | undefined): VisibleHistory => {
    const { clusters, withoutCluster } = visibleTo(principal)
    return { withoutCluster, clusters: cluster === undefined ? clusters : clusters.filter((name) => name === cluster) }
  }
  const questionOf = (
    context: RequestContext,
    asked: { readonly cluster?: string | undefined; readonly filter: string; readonly reads: 'true' | 'false' },
  ): HistoryQuestion => ({
    ...seenIn(context, asked.cluster),
    filter: filterOf(asked.filter),
    reads: asked.reads === 'true',
  })
  return [
    route({
      endpoint: listAudit,
      action: 'audit.read',
      class: 'read',
      handler: async (context, { query }) => {
        const { filter, ...question } = questionOf(context, query)
        const { limit, order, member } = query
        const page = await search.page({
          ...question,
          filter: member === undefined ? filter : withHistoryValue(filter, 'to', member),
          limit,
          order,
          cursor: query.cursor ?? null,
        })
        return { ...page, records: [...page.records], verification: verification.report }
      },
    }),
    route({
      endpoint: countAudit,
      action: 'audit.read',
      class: 'read',
      handler: async (context, { query }) => {
        const question = questionOf(context, query)
        const to = query.to === undefined ? search.now() : Date.parse(query.to)
        const times = { from: query.from === undefined ? to - DAY_MS : Date.parse(query.from), to }
        const [{ barMs, bars, countedFrom }, gaps] = await Promise.all([
          search.histogram({ ...question, ...times, bars: query.bars }),
          search.gaps({ ...question, ...times }, MOST_GAPS),
        ])
        return {
          barMs,
          bars: bars.map(({ at, ...counts }) => ({ at: instant(at), ...counts })),
          countedFrom: countedFrom === null ? null : instant(countedFrom),
          gaps: gaps.map(({ during, up }) => ({ ...during, member: up?.via ?? null })),
        }
      },
    }),
    route({
      endpoint: listAuditValues,
      action: 'audit.read',
      class: 'read',
      handler: async (context, { query: { cluster, field, begins } }) => ({
        values: [...(await search.values(field, begins, { ...seenIn(context, cluster), reads: true }, 12))],
      }),
    }),
    route({
      endpoint: getAuditRecord,
      action: 'audit.read',
      class: 'read',
      object: ({ chain, seq }) => `${chain}:${seq}`,
      handler: async (context, { params: { chain, seq } }) => {
        const view = await records.find(chain, seq, seenIn(context, undefined))
        return { ...view, verification: verification.report }
      },
    }),
  ]
}

function filterOf(text: string): HistoryFilter {
  const parsed = parseHistoryFilter(text)
  if (!parsed.ok) throw new FilterRefused(parsed.problem.message)
  return parsed.filter
}
