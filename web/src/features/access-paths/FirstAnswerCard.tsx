import type { AccessPath, FailureCost } from '@malleus/shared/api/access-paths.ts'
import { formatFull } from '../../lib/time.ts'
import { cx } from '../../lib/class-names.ts'
import { Card } from '../../ui/Card.tsx'
import { Table, type Column } from '../../ui/Table.tsx'
import { describeWait, failureWords } from './path-words.ts'

interface Row {
  readonly key: string
  readonly title: string
  readonly medianMs: number | null
  readonly worstMs: number | null
  readonly cost: FailureCost | null
  readonly measured: boolean
}

const columns: readonly Column<Row>[] = [
  {
    id: 'when',
    title: 'When a server is',
    header: true,
    cell: ({ title, cost }) => (
      <>
        {title}
        {cost?.from === 'estimated' && <span className="ml-1.5 text-11 font-book text-ink-3">estimate</span>}
      </>
    ),
  },
  { id: 'median', title: 'Median', align: 'end', cell: (row) => <Wait row={row} ms={row.medianMs} /> },
  { id: 'worst', title: 'Worst', align: 'end', cell: (row) => <Wait row={row} ms={row.worstMs} worst /> },
]

const longMs = 1_000

function Wait({ row, ms, worst = false }: { row: Row; ms: number | null; worst?: boolean }) {
  if (!row.measured) return <span className="text-ink-3">measuring</span>
  const isLong = row.cost?.from === 'measured' && (ms ?? 0) > longMs
  return (
    <span className={cx(isLong && 'text-bad', row.cost?.from === 'estimated' && 'text-ink-3')}>
      {describeWait(ms, worst && row.cost?.unanswered === true)}
    </span>
  )
}

/** How long new clients wait, now and while a server fails. */
export function FirstAnswerCard({ path }: { path: AccessPath }) {
  const { nowMs, p50Ms, p99Ms, clients, costs } = path.firstAnswer
  const rows: Row[] = [
    { key: 'now', title: 'Now', medianMs: nowMs, worstMs: nowMs, cost: null, measured: nowMs !== null },
    { key: 'hour', title: 'In the last hour', medianMs: p50Ms, worstMs: p99Ms, cost: null, measured: clients > 0 },
    ...costs.map((cost) => ({
      key: cost.failure,
      title: failureWords[cost.failure],
      medianMs: cost.medianMs,
      worstMs: cost.worstMs,
      cost,
      measured: true,
    })),
  ]
  const measured = costs.filter(({ from }) => from === 'measured')
  const incidents = measured
    .flatMap((cost) => cost.incidents)
    .toSorted()
    .toReversed()
  return (
    <Card title="First answer for a new client">
      <Table label="First answer for a new client" columns={columns} rows={rows} keyOf={({ key }) => key} />
      <p className="border-t border-line px-(--pad-x) py-2.5 text-12 text-ink-3">
        {clients > 0 && `Of ${clients} clients in the last hour, the worst is the slowest 1%. `}
        {incidents.length === 0
          ? 'No server has failed while this path was watched: what failures cost is what such paths usually cost.'
          : `Measured in ${incidents.length === 1 ? 'the incident' : 'incidents'} of ${incidents
              .slice(0, 3)
              .map(formatFull)
              .join('; ')}${incidents.length > 3 ? ' and earlier' : ''}.`}
      </p>
    </Card>
  )
}
