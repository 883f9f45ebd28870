import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { Pause, Play } from 'lucide-react'
import { useDeferredValue, useState } from 'react'
import { eventLogQuery, type EventLog, type LoggedEntry } from '../../api/events.ts'
import { EmptyTable, ForRole, ListPage } from '../../components/ListPage.tsx'
import { columnsFrom } from '../../components/table-choice.ts'
import { useMembers } from '../../components/current.ts'
import { Since } from '../../components/Ticking.tsx'
import { useTicking } from '../../lib/clock.ts'
import { plural } from '../../lib/plural.ts'
import { useStore } from '../../lib/store.ts'
import { formatClock } from '../../lib/time.ts'
import { useTypedText } from '../../lib/use-typed-text.ts'
import { preferences } from '../../stores/preferences.ts'
import { Button } from '../../ui/Button.tsx'
import { Copy } from '../../ui/Copy.tsx'
import { LongTable } from '../../ui/LongTable.tsx'
import { Notice } from '../../ui/Notice.tsx'
import { chosenAtFirst, eventColumnNames, eventColumns, fixedColumns } from './event-columns.tsx'
import { filterEntries, type EventFilter } from './event-filter.ts'
import { EventFilters } from './EventFilters.tsx'
import { EventPanel } from './EventPanel.tsx'
import { monitorCommand } from './monitor-command.ts'

const route = getRouteApi('/clusters/$cluster/events')

export function EventsPage() {
  return (
    <ForRole action="event.list" title="Events" what="the events">
      <Events />
    </ForRole>
  )
}

function Events() {
  const { cluster } = route.useParams()
  const { target: _, ...linked } = route.useSearch()
  const navigate = route.useNavigate()
  const { data, error } = useQuery(eventLogQuery(cluster))
  const [held, setHeld] = useState<EventLog | null>(null)
  const [opened, setOpened] = useState<LoggedEntry | null>(null)
  const change = (filter: EventFilter) =>
    void navigate({ search: (before) => ({ ...before, ...filter }), replace: true })
  const [text, setText] = useTypedText(
    linked.q ?? '',
    (q) => void navigate({ search: (before) => ({ ...before, q: q || undefined }), replace: true }),
  )
  // What is typed is seen at once; the rows follow.
  const filter = { ...linked, q: useDeferredValue(text) || undefined }
  const shown = columnsFrom(eventColumnNames, fixedColumns, useStore(preferences).eventColumns ?? chosenAtFirst)

  const log = held ?? data
  // A paused page holds what it has; what came since waits.
  const rows = filterEntries(log?.entries ?? none, filter).toReversed()
  const waiting = held === null || data === undefined ? 0 : waitingIn(data, held, filter)
  const columns = eventColumns(setOpened, opened?.n ?? null)
  const close = (): void => {
    const row = document.querySelector<HTMLElement>(`[data-entry="${opened?.n}"]`)
    setOpened(null)
    row?.focus()
  }

  return (
    <ListPage
      title="Events"
      sentence={log && describeLog(log, rows.length, held !== null)}
      error={error}
      notices={data && <ListeningNotice log={data} />}
      filter={{
        label: 'Filter by what, object, server, who…',
        value: text,
        onChange: (next) => {
          setText(next)
        },
        className: 'min-w-44 grow sm:max-w-56',
      }}
      more={
        <>
          <EventFilters
            entries={log?.entries ?? none}
            filter={filter}
            onChange={(next) => {
              if (next.q === undefined) setText('')
              change(next)
            }}
          />
          {data && (
            <PauseButton waiting={waiting} held={held !== null} onPress={() => setHeld(held === null ? data : null)} />
          )}
        </>
      }
      columns={{ preference: 'eventColumns', offered: offeredColumns, shown }}
    >
      {log && (
        <>
          <CommandLine filter={filter} />
          <div className={opened === null ? '' : 'lg:grid lg:grid-cols-[minmax(0,1fr)_400px] lg:items-start'}>
            {rows.length === 0 ? (
              <NoEvents log={log} />
            ) : (
              <LongTable
                label="Events"
                columns={shown.map((id) => columns[id])}
                rows={rows}
                keyOf={({ n }) => String(n)}
                rowClass={(row) =>
                  row.kind === 'gap' ? 'hatched-soft bg-warning-soft' : row.n === opened?.n ? 'bg-accent-soft' : ''
                }
              />
            )}
            {opened !== null && <EventPanel key={opened.n} entry={opened} onClose={close} />}
          </div>
        </>
      )}
    </ListPage>
  )
}

const none: readonly LoggedEntry[] = []
const everyColumn = eventColumns(() => undefined, null)
const offeredColumns = eventColumnNames.filter((id) => !fixedColumns.includes(id)).map((id) => everyColumn[id])

function waitingIn(log: EventLog, held: EventLog, filter: EventFilter): number {
  const last = held.entries.at(-1)?.n ?? 0
  return filterEntries(
    log.entries.filter(({ n }) => n > last),
    filter,
  ).length
}

/** "312 events since 14:02:11." or what the filter leaves of them. */
function describeLog({ entries, since }: EventLog, shown: number, isHeld: boolean): string {
  const all = plural(entries.length, 'event')
  const count = shown === entries.length ? all : `${shown} of ${all}`
  const first = entries[0]
  const from = first === undefined ? since : first.kind === 'gap' ? first.from : first.heardAt
  return `${count} since ${formatClock(from < since ? from : since)}.${isHeld ? ' Paused.' : ''}`
}

function PauseButton({ held, waiting, onPress }: { held: boolean; waiting: number; onPress: () => void }) {
  return (
    <Button onPress={onPress} tone={held ? 'primary' : 'plain'}>
      {held ? <Play size={14} aria-hidden="true" /> : <Pause size={14} aria-hidden="true" />}
      {held ? (waiting === 0 ? 'Go on' : `Go on, ${waiting} waiting`) : 'Pause'}
    </Button>
  )
}

/** Who tells what happens: two servers, each for all of them; with one a gap is near, with none it is there. */
function ListeningNotice({ log: { listening, deafSince } }: { log: EventLog }) {
  const others = useMembers().filter(({ notContacted }) => notContacted === null).length
  if (deafSince !== null) return <DeafNotice since={deafSince} />
  const [only, ...more] = listening
  if (only === undefined || more.length > 0 || others < 2) return null
  return (
    <Notice tone="warning" shape="pending" headline={`Only ${only} tells what happens.`}>
      Usually two servers do, so that one may fail without a gap. Another one is being asked.
    </Notice>
  )
}

/** Only after a moment: a stream that is replaced by another one is nothing to speak of. */
function DeafNotice({ since }: { since: string }) {
  const isDeaf = useTicking((now) => (now - Date.parse(since) < 2_000 ? '' : 'deaf'))
  if (isDeaf === '') return null
  return (
    <Notice tone="bad" shape="cross" alert headline="No server tells what happens.">
      For <Since at={since} /> it has been missed. A row will say for how long once a server tells again.
    </Notice>
  )
}

function NoEvents({ log: { entries, since } }: { log: EventLog }) {
  if (entries.length > 0) return <EmptyTable>No event fits this filter.</EmptyTable>
  const command = 'incus profile create try-events'
  return (
    <div className="px-(--pad-x) py-8 text-center">
      <p className="font-strong">
        Nothing has happened since {formatClock(since)}, when this console began to listen for you.
      </p>
      <p className="mt-1 text-ink-2">Change something to see it here, for example:</p>
      <p className="mt-3 inline-flex max-w-full items-center gap-1 rounded-[7px] border border-line bg-sunken py-0.5 pr-1 pl-3">
        <code className="min-w-0 font-mono text-12 wrap-anywhere">{command}</code>
        <Copy text={command} what="the command" />
      </p>
    </div>
  )
}

/** The same in a terminal. Log lines are only there: they can carry keys and tokens. */
function CommandLine({ filter }: { filter: EventFilter }) {
  const command = monitorCommand(filter)
  return (
    <p className="flex h-9 items-center gap-2 border-b border-line pr-1.5 pl-(--pad-x) text-12 whitespace-nowrap text-ink-3">
      In a terminal:
      <code className="min-w-0 truncate font-mono text-ink-2" title={command}>
        {command}
      </code>
      <Copy text={command} what="the command" />
    </p>
  )
}
