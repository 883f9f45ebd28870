import type { MemberHealthRecord } from '@malleus/shared/api/member-health.ts'
import { useState } from 'react'
import { cx } from '../../lib/class-names.ts'
import { formatFull } from '../../lib/time.ts'
import { Button } from '../../ui/Button.tsx'
import { inkOf, StateMark } from '../../ui/StateMark.tsx'
import { Table, type Column } from '../../ui/Table.tsx'
import { describeChange } from './change-words.ts'
import { lastText, ms, pieceText } from './health-chart.ts'

type Percentiles = MemberHealthRecord['percentiles'][number]

const measureNames: Readonly<Record<Percentiles['measure'], { name: string; hint: string }>> = {
  answer: { name: 'First byte', hint: 'From the question GET /1.0 to the first byte of its answer' },
  connect: { name: 'Connect', hint: 'Of questions on a new connection' },
  tls: { name: 'TLS', hint: 'Of questions on a new connection' },
  database: { name: 'Through the database', hint: 'A question that the cluster database has to answer' },
}
const order: readonly Percentiles['measure'][] = ['answer', 'connect', 'tls', 'database']

const percentileColumns: readonly Column<Percentiles>[] = [
  {
    id: 'measure',
    title: 'Phase',
    header: true,
    cell: ({ measure }) => <span title={measureNames[measure].hint}>{measureNames[measure].name}</span>,
  },
  { id: 'p50', title: 'Median', align: 'end', cell: ({ p50 }) => ms(p50) },
  { id: 'p95', title: '95 %', align: 'end', cell: ({ p95 }) => ms(p95) },
  { id: 'p99', title: '99 %', align: 'end', cell: ({ p99 }) => ms(p99) },
  { id: 'slowest', title: 'Slowest', align: 'end', cell: ({ slowest }) => ms(slowest) },
  { id: 'count', title: 'Answers', align: 'end', cell: ({ count }) => count.toLocaleString('en') },
]

/** How long each phase took over the whole range. */
export function PercentilesTable({ record }: { record: MemberHealthRecord }) {
  const rows = record.percentiles.toSorted((a, b) => order.indexOf(a.measure) - order.indexOf(b.measure))
  return <Table label="Percentiles" columns={percentileColumns} rows={rows} keyOf={({ measure }) => measure} />
}

const faultNames: Readonly<Record<MemberHealthRecord['failures'][number]['fault'], string>> = {
  resolve: 'resolving the name',
  connect: 'connecting',
  tls: 'in the TLS handshake',
  certificate: 'by the certificate',
  answer: 'waiting for the answer',
  database: 'through the database',
}

/** "Of 172,812 questions 43 failed: 40 connecting and 3 waiting for the answer." */
export function FailuresSentence({ record }: { record: MemberHealthRecord }) {
  const asked = record.asked.reduce((sum, count) => sum + count, 0)
  const inPhases = record.failures.map(({ fault, count }) => `${count.toLocaleString('en')} ${faultNames[fault]}`)
  if (asked === 0) return <>Nobody has asked it anything in that time.</>
  if (inPhases.length === 0) return <>Of {asked.toLocaleString('en')} questions, none failed.</>
  return (
    <>
      Of {asked.toLocaleString('en')} questions, these failed: {inPhases.join(', ')}.
    </>
  )
}

/** Every change of what is believed of it and what is said of it, newest first, with its reason. */
export function ChangesList({ record }: { record: MemberHealthRecord }) {
  const [all, setAll] = useState(false)
  const { changes, changesLeftOut, changesSince, range } = record
  const shown = all ? changes : changes.slice(0, 10)
  if (changes.length === 0) {
    return <p className="px-(--pad-x) py-3 text-ink-3">Nothing has changed in {lastText(range)}.</p>
  }
  return (
    <>
      <ul className="divide-y divide-line">
        {shown.map((change, index) => {
          const { tone, shape, headline, reason } = describeChange(change)
          return (
            <li
              // Two may happen in one millisecond.
              key={`${change.at} ${index}`}
              className="grid min-h-(--row) items-center gap-x-3 px-(--pad-x) py-1.5 sm:grid-cols-[150px_minmax(0,220px)_minmax(0,1fr)]"
            >
              <time dateTime={change.at} className="text-ink-3 tabular-nums">
                {formatFull(change.at)}
              </time>
              <span className={cx('flex min-w-0 items-center gap-2 font-strong', reason === null && 'sm:col-span-2')}>
                <StateMark tone={tone} shape={shape} />
                <span className={cx('min-w-0 wrap-anywhere', inkOf[tone])}>{headline}</span>
              </span>
              {reason !== null && <span className="min-w-0 wrap-anywhere text-ink-2">{reason}</span>}
            </li>
          )
        })}
      </ul>
      {(changes.length > 10 || changesLeftOut > 0) && (
        <div className="flex flex-wrap items-center gap-x-3 border-t border-line px-2 py-1">
          {changes.length > 10 && (
            <Button tone="quiet" size="small" expanded={all} onPress={() => setAll(!all)}>
              {all ? 'Show fewer' : `Show all ${changes.length}`}
            </Button>
          )}
          {changesLeftOut > 0 && (
            <span className="text-12 text-ink-3">
              {changesLeftOut} older ones in this range are kept and not listed; a shorter range lists more of its own.
            </span>
          )}
        </div>
      )}
      {changesSince !== null && (
        <p className="border-t border-line px-(--pad-x) py-2 text-12 text-ink-3">
          It changed so often that those before {formatFull(changesSince)} are no longer kept.
        </p>
      )}
    </>
  )
}

interface Piece {
  readonly index: number
  readonly record: MemberHealthRecord
}

const pieceColumns: readonly Column<Piece>[] = [
  { id: 'time', title: 'Time', header: true, cell: ({ record, index }) => pieceText(record, index) },
  { id: 'standing', title: 'Worst standing', cell: ({ record, index }) => record.standings[index] ?? 'nobody asked' },
  { id: 'p50', title: 'Median', align: 'end', cell: ({ record, index }) => ms(record.answer.p50[index]) },
  { id: 'p95', title: '95 %', align: 'end', cell: ({ record, index }) => ms(record.answer.p95[index]) },
  { id: 'p99', title: '99 %', align: 'end', cell: ({ record, index }) => ms(record.answer.p99[index]) },
  { id: 'slowest', title: 'Slowest', align: 'end', cell: ({ record, index }) => ms(record.answer.slowest[index]) },
  { id: 'connect', title: 'Connect', align: 'end', cell: ({ record, index }) => ms(record.connect[index]) },
  { id: 'tls', title: 'TLS', align: 'end', cell: ({ record, index }) => ms(record.tls[index]) },
  { id: 'database', title: 'Database', align: 'end', cell: ({ record, index }) => ms(record.database[index]) },
  {
    id: 'failed',
    title: 'Failed',
    align: 'end',
    cell: ({ record, index }) => `${record.failed[index] ?? 0} of ${record.asked[index] ?? 0}`,
  },
]

/** What the charts show, as a table, newest first. */
export function PiecesTable({ record }: { record: MemberHealthRecord }) {
  const rows = record.asked.map((_, index) => ({ index, record })).toReversed()
  return <Table label="Measurements" columns={pieceColumns} rows={rows} keyOf={({ index }) => String(index)} />
}
