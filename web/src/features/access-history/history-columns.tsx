import type { HistoryField, HistoryResult } from '@malleus/shared/domain/history-filter.ts'
import { cx } from '../../lib/class-names.ts'
import { formatClock, formatDate, formatFull } from '../../lib/time.ts'
import { Chip } from '../../ui/Badge.tsx'
import type { LongColumn } from '../../ui/LongTable.tsx'
import { inkOf, StateMark, type Shape, type Tone } from '../../ui/StateMark.tsx'
import type { HistoryRow } from './history-rows.ts'
import { cameBy, sentenceOf, whoDid } from './history-sentence.ts'

/** @param onOpen shows all of a record beside the table; `onAsk` puts a value into the filter. */
export function historyColumns(props: {
  onOpen: (place: string) => void
  onAsk: (field: HistoryField, value: string) => void
  opened: string | undefined
}): readonly LongColumn<HistoryRow>[] {
  const { onOpen, onAsk, opened } = props
  const value = (field: HistoryField, said: string | null | undefined, shown?: string, isMono = false) =>
    said === null || said === undefined || said === '' ? (
      <span className="text-ink-3">–</span>
    ) : (
      <AskButton field={field} value={said} onAsk={onAsk} isMono={isMono}>
        {shown ?? said}
      </AskButton>
    )
  const columns: readonly LongColumn<HistoryRow>[] = [
    {
      id: 'time',
      title: 'Time',
      widthPx: 118,
      cell: ({ record: { ts, during } }) => {
        const at = during?.from ?? ts
        return (
          <time dateTime={at} title={formatFull(at)} className="text-ink-2 tabular-nums">
            {isToday(at) ? formatClock(at) : `${formatDate(at).slice(0, -5)} ${formatClock(at)}`}
          </time>
        )
      },
    },
    {
      id: 'who',
      title: 'Who',
      widthPx: 190,
      from: 'sm',
      cell: ({ record }) => {
        const by = cameBy(record)
        return (
          <span className="flex min-w-0 items-center gap-2">
            {record.actor === null ? (
              <span className="truncate text-ink-2">{whoDid(record)}</span>
            ) : (
              <span className="min-w-0 truncate font-strong">{value('who', record.actor.name, whoDid(record))}</span>
            )}
            {by !== null && by !== 'console' && <Chip title="It did not go through this console">{by}</Chip>}
          </span>
        )
      },
    },
    {
      id: 'what',
      title: 'Did',
      header: true,
      cell: ({ record, result, places, place, unconfirmed }) => {
        const sentence = sentenceOf(record, result)
        const { tone, shape } = looks[result]
        return (
          <span className="flex min-w-0 items-center gap-1.5">
            <button
              type="button"
              onClick={() => onOpen(place)}
              aria-expanded={opened !== undefined && places.includes(opened)}
              data-record={place}
              title={`${whoDid(record)} ${sentence} ${record.object ?? ''}`}
              className="flex min-w-0 cursor-default items-center gap-1.5 rounded-sm text-left font-book text-ink hover:underline"
            >
              {tone !== undefined && <StateMark tone={tone} shape={shape} />}
              <span className="font-strong whitespace-nowrap sm:sr-only">{whoDid(record)} </span>
              <span className="truncate">{sentence}</span>
            </button>
            {unconfirmed && <Chip title="Incus did not say within 30 s that it was done">unconfirmed</Chip>}
            {record.object !== null && (
              <span className="min-w-0 flex-1 truncate">{value('to', record.object, undefined, true)}</span>
            )}
          </span>
        )
      },
    },
    {
      id: 'through',
      title: 'On',
      hint: 'The server that carried it out',
      widthPx: 104,
      from: 'md',
      cell: ({ record: { up } }) => value('on', up?.via),
    },
    {
      id: 'from',
      title: 'From',
      widthPx: 128,
      from: 'lg',
      cell: ({ record: { src } }) => value('from', src.ip, undefined, true),
    },
    {
      id: 'result',
      title: 'Result',
      widthPx: 92,
      from: 'md',
      cell: ({ result, record }) => (
        <span className={cx(looks[result].tone !== undefined && inkOf[looks[result].tone])}>
          {record.during === undefined ? value('result', result, looks[result].word) : '–'}
        </span>
      ),
    },
  ]
  // Beside the details of a record there is room for who and what.
  return opened === undefined ? columns : columns.filter(({ id }) => id !== 'through' && id !== 'from')
}

interface Look {
  readonly tone: Tone | undefined
  readonly shape: Shape
  readonly word: string
}

const looks: Readonly<Record<HistoryResult, Look>> = {
  ok: { tone: undefined, shape: 'none', word: 'ok' },
  refused: { tone: 'bad', shape: 'cross', word: 'refused' },
  failed: { tone: 'bad', shape: 'alert', word: 'failed' },
  unknown: { tone: 'warning', shape: 'question', word: 'unknown' },
  begun: { tone: 'info', shape: 'pending', word: 'begun' },
}

/** A value that is asked for when it is pressed. */
export function AskButton(props: {
  field: HistoryField
  value: string
  onAsk: (field: HistoryField, value: string) => void
  children: string
  isMono?: boolean
}) {
  const { field, value, onAsk, children, isMono = false } = props
  return (
    <button
      type="button"
      onClick={() => onAsk(field, value)}
      title={`Show ${field}:${value} only`}
      className={cx(
        'max-w-full cursor-default truncate rounded-sm align-bottom hover:text-accent-text hover:underline',
        isMono && 'font-mono text-12',
      )}
    >
      {children}
    </button>
  )
}

function isToday(at: string): boolean {
  return new Date(at).toDateString() === new Date().toDateString()
}
