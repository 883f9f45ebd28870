import type { MemberHealthRecord } from '@malleus/shared/api/member-health.ts'
import { useId, useState, type KeyboardEvent } from 'react'
import { formatClock, formatDate, formatMs } from '../../lib/time.ts'
import { cx } from '../../lib/class-names.ts'
import { TimeChart, type ChartColour, type Series } from '../../ui/TimeChart.tsx'
import {
  bandOf,
  changesIn,
  describePiece,
  failedShares,
  lineOf,
  marksOf,
  moveCrosshair,
  ms,
  pieceText,
  timesOf,
  unwatched,
} from './health-chart.ts'
import { describeChange } from './change-words.ts'

interface Drawn extends Series {
  /** What stands beside its name at one time. */
  readonly at: (index: number) => string
}

/** Answer times, phases and failures of one server, one above the other, with one crosshair for all. */
export function HealthCharts({ record }: { record: MemberHealthRecord }) {
  const [pointed, setCursor] = useState<number | null>(null)
  const hint = useId()
  const times = timesOf(record)
  const count = times.length
  // A shorter range may have fewer pieces than the one before.
  const cursor = pointed === null ? null : Math.min(pointed, count - 1)
  const shown = cursor ?? count - 1
  const from = Date.parse(record.from) / 1000
  // To the end of the last piece, which has only begun: what is drawn of it stands in its middle.
  const to = from + (count * record.pieceMs) / 1000
  const answers = answerSeries(record)
  const phases = phaseSeries(record)
  const failures = failureSeries(record)
  const common = {
    times,
    from,
    to,
    marks: marksOf(record),
    gaps: unwatched(record),
    formatTime: timeFormat(record.range),
    cursor,
    onCursor: setCursor,
  }

  const move = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return
    const next = moveCrosshair(event.key, cursor, count)
    if (next === undefined) return
    event.preventDefault()
    setCursor(next)
  }

  return (
    <div
      role="slider"
      tabIndex={0}
      aria-label="Time in the charts"
      aria-orientation="horizontal"
      aria-valuemin={0}
      aria-valuemax={count - 1}
      aria-valuenow={shown}
      aria-valuetext={describePiece(record, shown)}
      aria-describedby={hint}
      onKeyDown={move}
      className="-outline-offset-2 rounded-b-[10px] px-(--pad-x) pb-3"
    >
      <p className="flex min-h-9 flex-wrap items-center gap-x-3 pt-2 text-12" aria-hidden="true">
        <strong className="tabular-nums">{pieceText(record, shown)}</strong>
        <span className="text-ink-3">{cursor === null ? 'newest' : (record.standings[shown] ?? 'nobody asked')}</span>
        {changesIn(record, shown)
          .slice(0, 1)
          .map((change) => (
            <span key={change.at} className="min-w-0 truncate text-ink-2">
              {describeChange(change).headline}
            </span>
          ))}
      </p>
      <Legend title="First byte" series={answers} index={shown} />
      <TimeChart
        {...common}
        series={answers}
        scale="logarithmic"
        formatValue={formatMs}
        height={170}
        band={bandOf(record)}
      />
      <Legend title="Phases, median" series={phases} index={shown} />
      <TimeChart {...common} series={phases} scale="logarithmic" formatValue={formatMs} height={140} />
      <Legend title="Failed" series={failures} index={shown} />
      <TimeChart {...common} series={failures} scale="percent" formatValue={(value) => `${value} %`} height={90} />
      <p id={hint} className="mt-2 text-12 text-ink-3">
        Arrow keys move the crosshair. Lines across are changes of the server; hatched is when nobody measured.
      </p>
    </div>
  )
}

const dots: Readonly<Record<ChartColour, string>> = {
  accent: 'bg-accent-text',
  accentSoft: 'bg-focus',
  ink: 'bg-ink-2',
  inkSoft: 'bg-ink-3',
  info: 'bg-info-mark',
  good: 'bg-good-mark',
  warning: 'bg-warning-mark',
  bad: 'bg-bad-mark',
}

function Legend({ title, series, index }: { title: string; series: readonly Drawn[]; index: number }) {
  return (
    <p aria-hidden="true" className="mt-1 flex flex-wrap items-center gap-x-3.5 gap-y-0.5 text-12">
      <span className="font-strong">{title}</span>
      {series.map(({ label, colour, at }) => (
        <span key={label} className="inline-flex items-center gap-1.5 text-ink-2">
          <span className={cx('h-2 w-2 rounded-xs', dots[colour])} />
          {label}
          <span className="min-w-12 tabular-nums">{at(index)}</span>
        </span>
      ))}
    </p>
  )
}

function answerSeries({ answer }: MemberHealthRecord): readonly Drawn[] {
  const drawn = (label: string, colour: ChartColour, values: readonly (number | null)[], width: number): Drawn => ({
    label,
    colour,
    values,
    width,
    at: (index) => ms(values[index]),
  })
  return [
    drawn('slowest', 'inkSoft', answer.slowest, 1),
    drawn('99 %', 'info', answer.p99, 1),
    drawn('95 %', 'warning', answer.p95, 1),
    drawn('median', 'accent', answer.p50, 2),
  ]
}

function phaseSeries(record: MemberHealthRecord): readonly Drawn[] {
  const drawn = (label: string, colour: ChartColour, values: readonly (number | null)[]): Drawn => ({
    label,
    colour,
    values: lineOf(values, record),
    at: (index) => ms(values[index]),
  })
  return [
    drawn('connect', 'inkSoft', record.connect),
    drawn('TLS', 'info', record.tls),
    drawn('first byte', 'accent', record.answer.p50),
    drawn('through the database', 'good', record.database),
  ]
}

function failureSeries(record: MemberHealthRecord): readonly Drawn[] {
  return [
    {
      label: 'of the questions asked',
      colour: 'bad',
      kind: 'bars',
      values: failedShares(record),
      at: (index) => `${record.failed[index] ?? 0} of ${record.asked[index] ?? 0}`,
    },
  ]
}

/** The hour in a day, the day in more. */
function timeFormat(range: MemberHealthRecord['range']): (seconds: number) => string {
  return (seconds) => {
    const at = new Date(seconds * 1000).toISOString()
    if (range === '1h' || range === '24h') return formatClock(at).slice(0, 5)
    return formatDate(at).split(' ').slice(0, 2).join(' ')
  }
}
