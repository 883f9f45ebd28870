import type { LoggedEntry } from '../../api/events.ts'
import { MemberLink } from '../../components/MemberLink.tsx'
import { formatClock, formatFull } from '../../lib/time.ts'
import { cx } from '../../lib/class-names.ts'
import type { LongColumn } from '../../ui/LongTable.tsx'
import { StateMark, type Shape, type Tone } from '../../ui/StateMark.tsx'
import { gapTitle, sentenceOf, toneOf, whoDid } from './event-words.ts'

export const eventColumnNames = ['time', 'what', 'server', 'project', 'who', 'action'] as const
export type EventColumn = (typeof eventColumnNames)[number]
/** Always there: when, and what. */
export const fixedColumns: readonly EventColumn[] = ['time', 'what']
export const chosenAtFirst: readonly EventColumn[] = ['server', 'project', 'who']

/** @param onOpen shows all of an event beside the table. */
export function eventColumns(
  onOpen: (entry: LoggedEntry) => void,
  opened: number | null,
): Readonly<Record<EventColumn, LongColumn<LoggedEntry>>> {
  return {
    time: {
      id: 'time',
      title: 'Time',
      hint: 'When it happened, by the clock of the server where it did; a gap, when it began',
      widthPx: 84,
      cell: (entry) => {
        const at = entry.kind === 'gap' ? entry.from : entry.at
        return (
          <time dateTime={at} title={formatFull(at)} className="text-ink-2 tabular-nums">
            {formatClock(at)}
          </time>
        )
      },
    },
    what: {
      id: 'what',
      title: 'What',
      header: true,
      cell: (entry) => {
        const text = entry.kind === 'gap' ? gapTitle(entry) : sentenceOf(entry)
        const tone = entry.kind === 'gap' ? 'warning' : toneOf(entry)
        return (
          <button
            type="button"
            onClick={() => onOpen(entry)}
            aria-expanded={opened === entry.n}
            data-entry={entry.n}
            title={text}
            className={cx(
              'flex w-full cursor-default items-center gap-2 rounded-sm text-left font-book text-ink hover:underline',
              entry.kind === 'gap' && 'font-strong text-warning',
            )}
          >
            {tone !== undefined && (
              <StateMark tone={tone} shape={entry.kind === 'gap' ? 'pending' : shapes[tone]} size={12} />
            )}
            <span className="truncate">{text}</span>
          </button>
        )
      },
    },
    server: {
      id: 'server',
      title: 'Server',
      hint: 'Where it happened',
      from: 'sm',
      widthPx: 112,
      cell: (entry) =>
        entry.kind === 'gap' || entry.location === null ? <Nothing /> : <MemberLink name={entry.location} />,
    },
    project: {
      id: 'project',
      title: 'Project',
      from: 'md',
      widthPx: 112,
      cell: (entry) => <Text value={entry.kind === 'gap' ? null : entry.project} />,
    },
    who: {
      id: 'who',
      title: 'Who',
      hint: 'Incus does not tell it of everything, and this console only to those who may read the access history',
      from: 'lg',
      widthPx: 176,
      cell: (entry) => <Text value={entry.kind === 'gap' ? null : whoDid(entry)} />,
    },
    action: {
      id: 'action',
      title: 'Action',
      hint: 'As Incus calls it',
      from: 'xl',
      widthPx: 208,
      cell: (entry) =>
        entry.kind === 'gap' ? <Nothing /> : <span className="font-mono text-12 text-ink-2">{entry.action}</span>,
    },
  }
}

const shapes: Readonly<Record<Tone, Shape>> = {
  good: 'check',
  bad: 'cross',
  warning: 'alert',
  info: 'pending',
  unknown: 'question',
}

function Text({ value }: { value: string | null }) {
  if (value === null || value === '') return <Nothing />
  return (
    <span className="text-ink-2" title={value}>
      {value}
    </span>
  )
}

function Nothing() {
  return <span className="text-ink-3">–</span>
}
