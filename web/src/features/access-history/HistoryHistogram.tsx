import { useRef, useState, type KeyboardEvent, type PointerEvent } from 'react'
import type { Histogram } from '../../api/history.ts'
import { cx } from '../../lib/class-names.ts'
import { plural } from '../../lib/plural.ts'
import { formatClock, formatDate } from '../../lib/time.ts'
import { Button } from '../../ui/Button.tsx'

/**
 * How many records there are over time. A stretch is chosen by dragging, or with the arrow keys and Shift, and Enter; the
 * time in which records are missing is hatched.
 */
export function HistoryHistogram(props: {
  histogram: Histogram
  isZoomed: boolean
  onZoom: (from: number, to: number) => void
  onWhole: () => void
}) {
  const { histogram, isZoomed, onZoom, onWhole } = props
  const { bars, barMs, gaps, countedFrom } = histogram
  const [mark, setMark] = useState<{ readonly from: number; readonly to: number } | null>(null)
  const [isDragging, setDragging] = useState(false)
  const area = useRef<HTMLDivElement>(null)
  const most = Math.max(1, ...bars.map(({ records }) => records))
  const begin = Date.parse(bars[0]?.at ?? '')
  const wholeMs = barMs * bars.length
  const range = mark && { first: Math.min(mark.from, mark.to), last: Math.max(mark.from, mark.to) }

  function barAt({ clientX }: PointerEvent): number {
    const box = area.current?.getBoundingClientRect()
    if (box === undefined || box.width === 0) return 0
    return Math.max(0, Math.min(bars.length - 1, Math.floor(((clientX - box.left) / box.width) * bars.length)))
  }

  function zoom(): void {
    if (range === null) return
    setMark(null)
    onZoom(begin + range.first * barMs, begin + (range.last + 1) * barMs)
  }

  function onKey(event: KeyboardEvent): void {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -bars.length, End: bars.length }[event.key]
    if (step !== undefined) {
      event.preventDefault()
      const at = mark?.to ?? (step > 0 ? -1 : bars.length)
      const to = Math.max(0, Math.min(bars.length - 1, at + step))
      setMark({ from: event.shiftKey ? (mark?.from ?? to) : to, to })
    } else if (event.key === 'Enter') zoom()
    else if (event.key === 'Escape') {
      if (mark === null) onWhole()
      setMark(null)
    }
  }

  const current = mark === null ? undefined : bars[mark.to]
  return (
    <section
      aria-label="Records over time"
      className="rounded-[10px] border border-line bg-surface px-(--pad-x) pt-3 pb-2"
    >
      <div
        ref={area}
        role="slider"
        tabIndex={0}
        aria-label="Time: arrow keys choose, Shift extends, Enter shows only this time"
        aria-valuemin={1}
        aria-valuemax={Math.max(1, bars.length)}
        aria-valuenow={(mark?.to ?? bars.length - 1) + 1}
        aria-valuetext={current === undefined ? describeAll(histogram) : describe(current, barMs)}
        onKeyDown={onKey}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId)
          setDragging(true)
          setMark({ from: barAt(event), to: barAt(event) })
        }}
        onPointerMove={(event) => {
          if (isDragging && mark !== null) setMark({ from: mark.from, to: barAt(event) })
        }}
        onPointerUp={() => {
          setDragging(false)
          zoom()
        }}
        onPointerCancel={() => {
          setDragging(false)
          setMark(null)
        }}
        className="relative flex h-16 cursor-crosshair touch-none items-end gap-px rounded-sm outline-offset-4"
      >
        {gaps.map((gap) => {
          const left = Math.max(0, (Date.parse(gap.from) - begin) / wholeMs)
          const right = Math.min(1, (Date.parse(gap.to) - begin) / wholeMs)
          return (
            <span
              key={`${gap.from} ${gap.member}`}
              title={`${gap.member ?? 'The cluster'} was not listened to from ${formatClock(gap.from)} to ${formatClock(gap.to)}: records may be missing`}
              style={{ left: `${left * 100}%`, width: `max(2px, ${(right - left) * 100}%)` }}
              className="hatched absolute inset-y-0 opacity-70"
            />
          )
        })}
        {bars.map((bar, at) => {
          const isIn = range !== null && at >= range.first && at <= range.last
          const isOpen = countedFrom !== null && bar.at < countedFrom
          return (
            <span
              key={bar.at}
              title={describe(bar, barMs)}
              className="relative flex h-full min-w-0 flex-1 flex-col justify-end"
            >
              {isIn && <span className="absolute inset-0 bg-accent-soft" />}
              {isOpen && <span className="hatched-soft absolute inset-x-0 bottom-0 h-2" />}
              <Piece count={bar.refused + bar.failed} most={most} className="bg-bad" least={2} />
              <Piece
                count={bar.records - bar.refused - bar.failed}
                most={most}
                className={cx(isIn ? 'bg-accent' : 'bg-accent/40')}
                least={1}
              />
            </span>
          )
        })}
      </div>
      <div className="mt-1.5 flex min-h-7 items-center justify-between gap-3 text-11 text-ink-3 tabular-nums">
        {bars.length > 0 && <Tick at={bars[0]?.at ?? ''} wholeMs={wholeMs} />}
        <span className="flex items-center gap-3">
          {gaps.length > 0 && (
            <span className="flex items-center gap-1.5">
              <span className="hatched size-2.5 rounded-[2px]" /> {plural(gaps.length, 'gap')}: records may be missing
            </span>
          )}
          {countedFrom !== null && <span role="status">Counting…</span>}
          {isZoomed && (
            <Button size="small" tone="quiet" onPress={onWhole}>
              Last 24 hours
            </Button>
          )}
        </span>
        {bars.length > 0 && <Tick at={new Date(begin + wholeMs).toISOString()} wholeMs={wholeMs} />}
      </div>
    </section>
  )
}

function Piece({ count, most, className, least }: { count: number; most: number; className: string; least: number }) {
  if (count <= 0) return null
  return (
    <span
      style={{ height: `max(${least}px, ${(count / most) * 100}%)` }}
      className={cx('relative w-full shrink-0', className)}
    />
  )
}

function Tick({ at, wholeMs }: { at: string; wholeMs: number }) {
  const isLong = wholeMs > 36 * 3_600_000
  return (
    <time dateTime={at}>
      {isLong ? formatDate(at) : `${formatDate(at).slice(0, -5)} ${formatClock(at).slice(0, 5)}`}
    </time>
  )
}

type Bar = Histogram['bars'][number]

function describe({ at, records, refused, failed }: Bar, barMs: number): string {
  const end = new Date(Date.parse(at) + barMs).toISOString()
  const wrong = [refused > 0 ? `${refused} refused` : '', failed > 0 ? `${failed} failed` : ''].filter(Boolean)
  const from = `${formatDate(at).slice(0, -5)} ${formatClock(at).slice(0, 5)}`
  return `${from} to ${formatClock(end).slice(0, 5)}: ${[plural(records, 'record'), ...wrong].join(', ')}`
}

function describeAll({ bars, gaps }: Histogram): string {
  const sum = (of: (bar: Bar) => number) => bars.reduce((total, bar) => total + of(bar), 0)
  const counted = `${plural(
    sum(({ records }) => records),
    'record',
  )}, ${sum(({ refused }) => refused)} refused, ${sum(({ failed }) => failed)} failed`
  return gaps.length === 0 ? counted : `${counted}, ${plural(gaps.length, 'gap')}`
}
