import { formatHistoryFilter, historyInstant, parseHistoryFilter } from '@malleus/shared/domain/history-filter.ts'
import { withHistoryValue, type HistoryField, type HistoryFilter } from '@malleus/shared/domain/history-filter.ts'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { histogramQuery, historyPagesQuery } from '../../api/history.ts'
import { useMay } from '../../components/current.ts'
import { EmptyTable, ForRole } from '../../components/ListPage.tsx'
import { PageTitle } from '../../components/PageTitle.tsx'
import { ProblemNotice } from '../../components/ProblemNotice.tsx'
import { serverNow, useTicking } from '../../lib/clock.ts'
import { plural } from '../../lib/plural.ts'
import { formatClock, formatDate, formatFull } from '../../lib/time.ts'
import { Badge } from '../../ui/Badge.tsx'
import { Boundary } from '../../ui/Boundary.tsx'
import { Button } from '../../ui/Button.tsx'
import { LongTable } from '../../ui/LongTable.tsx'
import { Notice } from '../../ui/Notice.tsx'
import { SkeletonRows } from '../../ui/Skeleton.tsx'
import { ExportDialog } from './ExportDialog.tsx'
import { historyColumns } from './history-columns.tsx'
import { historyRows } from './history-rows.ts'
import { HistoryFilterBox } from './HistoryFilterBox.tsx'
import { HistoryHistogram } from './HistoryHistogram.tsx'
import { HistoryPanel } from './HistoryPanel.tsx'
import { HistorySources } from './HistorySources.tsx'
import { HistoryViews } from './HistoryViews.tsx'

const route = getRouteApi('/clusters/$cluster/history')

export function HistoryPage() {
  return (
    <ForRole action="audit.read" title="Access history" what="the access history">
      <History />
    </ForRole>
  )
}

function History() {
  const { cluster } = route.useParams()
  const { filter: linked = '', reads = false, order = 'newest', record: opened } = route.useSearch()
  const navigate = route.useNavigate()
  const parsed = useMemo(() => parseHistoryFilter(linked), [linked])
  const filter = parsed.ok ? formatHistoryFilter(parsed.filter) : ''
  const pages = useInfiniteQuery({ ...historyPagesQuery({ cluster, filter, reads, order }), enabled: parsed.ok })
  const range = useRange(parsed.ok ? parsed.filter : null)
  const histogram = useQuery({
    ...histogramQuery({ cluster, filter, reads, ...range, bars: barsWanted }),
    enabled: parsed.ok,
  })
  const rows = useMemo(
    () => historyRows(pages.data?.pages.flatMap(({ records }) => records) ?? [], order),
    [pages.data, order],
  )

  const search = (change: {
    filter?: string | undefined
    reads?: boolean
    order?: 'oldest' | undefined
    record?: string | undefined
  }) => void navigate({ search: (before) => ({ ...before, ...change }), replace: 'record' in change })
  const ask = (next: HistoryFilter) => search({ filter: formatHistoryFilter(next) || undefined, record: undefined })
  const askFor = (field: HistoryField, value: string) => parsed.ok && ask(withHistoryValue(parsed.filter, field, value))
  const zoom = (from: number, to: number) =>
    parsed.ok && ask({ ...parsed.filter, after: asTime(from), before: asTime(to) })
  const close = (): void => {
    const row = document.querySelector<HTMLElement>(`[data-record="${opened}"]`)
    search({ record: undefined })
    row?.focus()
  }

  const mayExport = useMay('audit.export')
  const [isExporting, setExporting] = useState(false)
  const first = pages.data?.pages[0]
  const last = pages.data?.pages.at(-1)
  const columns = historyColumns({ onOpen: (record) => search({ record }), onAsk: askFor, opened })
  return (
    <>
      <PageTitle
        title="Access history"
        sentence="Who reached the cluster, from where, through which server, and what they did."
        actions={
          <>
            {first && <ChainBadge check={first.verification} />}
            <Button
              opens="dialog"
              onPress={() => setExporting(true)}
              {...(!mayExport.may && { disabledReason: mayExport.because })}
            >
              Export…
            </Button>
          </>
        }
      />
      {pages.error !== null && <ProblemNotice error={pages.error} />}
      <HistorySources cluster={cluster} />
      {first?.verification?.ok === false && (
        <Notice tone="bad" shape="cross" alert headline="The access history has been changed.">
          {first.verification.message}
        </Notice>
      )}
      <div className="flex flex-wrap items-start gap-2">
        <HistoryFilterBox
          cluster={cluster}
          linked={linked}
          onAsk={(text) => search({ filter: text || undefined, record: undefined })}
        />
        <HistoryViews filter={filter} onChoose={(text) => search({ filter: text || undefined, record: undefined })} />
        <label className="flex h-8 items-center gap-2 rounded-[7px] border border-line-strong bg-raised px-2.5 text-13 text-ink-2">
          <input type="checkbox" checked={reads} onChange={({ target }) => search({ reads: target.checked })} />
          Reads too
        </label>
        <Button onPress={() => search({ order: order === 'newest' ? 'oldest' : undefined })}>
          {order === 'newest' ? 'Oldest first' : 'Newest first'}
        </Button>
        <p className="ml-auto self-center text-12 text-ink-3 tabular-nums" aria-live="polite">
          {histogram.data && first && describeCount(histogram.data, first.tookMs, range)}
        </p>
      </div>
      {histogram.data && (
        <HistoryHistogram
          histogram={histogram.data}
          isZoomed={parsed.ok && (parsed.filter.after !== null || parsed.filter.before !== null)}
          onZoom={zoom}
          onWhole={() => parsed.ok && ask({ ...parsed.filter, after: null, before: null })}
        />
      )}
      <Boundary title="Access history">
        <div className="overflow-clip rounded-[10px] border border-line bg-surface">
          {pages.data === undefined ? (
            pages.error === null && parsed.ok && <SkeletonRows rows={10} />
          ) : (
            <div className={opened === undefined ? '' : 'lg:grid lg:grid-cols-[minmax(0,1fr)_400px] lg:items-start'}>
              <div>
                {rows.length === 0 ? (
                  <EmptyTable>
                    {last?.next === null ? 'Nothing that was recorded fits.' : 'Nothing found so far.'}
                  </EmptyTable>
                ) : (
                  <LongTable
                    label="Access history"
                    columns={columns}
                    rows={rows}
                    keyOf={({ places }) => places.at(-1) ?? ''}
                    rowClass={({ record, places }) =>
                      record.during !== undefined
                        ? 'hatched-soft bg-warning-soft'
                        : opened !== undefined && places.includes(opened)
                          ? 'bg-accent-soft'
                          : ''
                    }
                  />
                )}
                {last !== undefined && (
                  <More
                    searchedTo={last.searchedTo}
                    isThere={pages.hasNextPage}
                    isComing={pages.isFetchingNextPage}
                    onPress={() => void pages.fetchNextPage()}
                  />
                )}
              </div>
              {opened !== undefined && (
                <HistoryPanel
                  key={opened}
                  cluster={cluster}
                  place={opened}
                  onAsk={askFor}
                  onOpen={(record) => search({ record })}
                  onClose={close}
                />
              )}
            </div>
          )}
        </div>
      </Boundary>
      {isExporting && (
        <ExportDialog cluster={cluster} filter={filter} reads={reads} onClose={() => setExporting(false)} />
      )}
    </>
  )
}

const barsWanted = 80
const dayMs = 86_400_000
const minuteMs = 60_000

/** The time that the histogram shows: what the filter asks for, else the last day. Moves on once a minute. */
function useRange(filter: HistoryFilter | null): { readonly from: string; readonly to: string } {
  const minute = Number(useTicking((now) => String(Math.floor(now / minuteMs))))
  return useMemo(() => {
    const now = (minute + 1) * minuteMs
    const to = filter?.before ? (historyInstant(filter.before, serverNow()) ?? now) : now
    const from = filter?.after ? (historyInstant(filter.after, serverNow()) ?? to - dayMs) : to - dayMs
    return {
      from: new Date(Math.min(from, to - minuteMs)).toISOString(),
      to: new Date(to).toISOString(),
    }
  }, [filter, minute])
}

function asTime(at: number): string {
  return new Date(at).toISOString().replace(/(:00)?\.000Z$/, '')
}

function describeCount(
  { bars, countedFrom }: { bars: readonly { records: number }[]; countedFrom: string | null },
  tookMs: number,
  range: { from: string; to: string },
): string {
  const count = bars.reduce((sum, { records }) => sum + records, 0)
  const text = `${countedFrom === null ? '' : 'at least '}${count.toLocaleString('en')} ${count === 1 ? 'record' : 'records'}`
  const isDay = Math.abs(Date.parse(range.to) - Date.parse(range.from) - dayMs) < 2 * minuteMs
  return `${text} ${isDay ? 'in 24 h' : 'in this time'} · ${tookMs} ms`
}

function ChainBadge({ check }: { check: { ok: boolean; at: string; records: number } | null }) {
  if (check === null) {
    return (
      <Badge tone="unknown" shape="pending">
        Chain is being checked
      </Badge>
    )
  }
  return (
    <span title={`${plural(check.records, 'record')} checked from the first on, ${formatFull(check.at)}`}>
      <Badge tone={check.ok ? 'good' : 'bad'} shape={check.ok ? 'check' : 'cross'}>
        {check.ok ? `Chain verified to ${formatClock(check.at)}` : 'Chain broken'}
      </Badge>
    </span>
  )
}

/** Where the list ends: with more to come, with more to look through, or for good. */
function More(props: { searchedTo: string | null; isThere: boolean; isComing: boolean; onPress: () => void }) {
  const { searchedTo, isThere, isComing, onPress } = props
  if (!isThere) return null
  return (
    <div className="flex flex-wrap items-center justify-center gap-3 border-t border-line py-3">
      {searchedTo !== null && (
        <span className="text-ink-2" role="status">
          Searched back to {formatDate(searchedTo)}, {formatClock(searchedTo)}.
        </span>
      )}
      <Button size="small" onPress={onPress}>
        {isComing ? 'Looking…' : searchedTo === null ? 'Show more' : 'Search on'}
      </Button>
    </div>
  )
}
