import type { ClusterEvent, EventGap } from '@malleus/shared/api/events.ts'
import { Link } from '@tanstack/react-router'
import type { LoggedEntry } from '../../api/events.ts'
import { useClusterName } from '../../components/current.ts'
import { MemberLink } from '../../components/MemberLink.tsx'
import { formatFull, formatMs } from '../../lib/time.ts'
import { Fact, Facts } from '../../ui/Card.tsx'
import { Copy } from '../../ui/Copy.tsx'
import { SidePanel } from '../../ui/SidePanel.tsx'
import { objectOf } from './event-source.ts'
import { gapTitle, sentenceOf, whoDid } from './event-words.ts'

/** All that is known of one row. */
export function EventPanel({ entry, onClose }: { entry: LoggedEntry; onClose: () => void }) {
  return (
    <SidePanel title={entry.kind === 'gap' ? 'A gap' : sentenceOf(entry)} onClose={onClose}>
      {entry.kind === 'gap' ? <GapFacts gap={entry} /> : <EventFacts event={entry} />}
    </SidePanel>
  )
}

function GapFacts({ gap }: { gap: EventGap }) {
  return (
    <>
      <p className="px-(--pad-x) py-3 text-ink-2">
        {gapTitle(gap)}. Incus does not tell again what was not listened to. What changed meanwhile is on the other
        pages, which were read again.
      </p>
      <Facts>
        <Fact name="From">
          <Instant at={gap.from} />
        </Fact>
        <Fact name="To">
          <Instant at={gap.to} />
        </Fact>
        <Fact name="Why">{gap.reason}</Fact>
      </Facts>
    </>
  )
}

function EventFacts({ event }: { event: ClusterEvent }) {
  const { location, project, action, source, who, at, heardAt, raw } = event
  const text = JSON.stringify(raw, null, 2)
  const lateMs = Date.parse(heardAt) - Date.parse(at)
  return (
    <>
      <Facts>
        <Fact name="When">
          <Instant at={at} />
          <span className="text-ink-3"> · heard {lateMs < 0 ? 'at once' : `${formatMs(lateMs)} later`}</span>
        </Fact>
        {location !== null && (
          <Fact name="Server">
            <MemberLink name={location} />
          </Fact>
        )}
        <Fact name="Project">{project ?? <span className="text-ink-3">none: it belongs to the cluster</span>}</Fact>
        <Fact name="Object">
          <ObjectLink event={event} />
        </Fact>
        <Fact name="Action">
          <code className="font-mono text-12">{action}</code>
        </Fact>
        <Fact name="Who">
          {who === null ? (
            <span className="text-ink-3">not told</span>
          ) : (
            <span title={who.name}>
              {whoDid(event)} <span className="text-ink-3">({who.protocol})</span>
            </span>
          )}
        </Fact>
      </Facts>
      <div className="flex items-center gap-2 border-t border-line px-(--pad-x) pt-2.5">
        <h3 className="text-12 text-ink-3">As Incus sent it, with secrets masked</h3>
        <span className="ml-auto">
          <Copy text={text} what="this event" />
        </span>
      </div>
      <pre className="px-(--pad-x) pt-1 pb-3 font-mono text-12 whitespace-pre-wrap wrap-anywhere text-ink-2">
        {text}
      </pre>
      {source !== null && <span className="sr-only">{source}</span>}
    </>
  )
}

/** To the page of the object, where there is one. */
function ObjectLink({ event }: { event: ClusterEvent }) {
  const cluster = useClusterName()
  const object = objectOf(event.source)
  if (object === null) return <span className="text-ink-3">none</span>
  if (object.kind === 'members') return <MemberLink name={object.name} />
  if (object.kind === 'operations') {
    return (
      <Link
        to="/clusters/$cluster/operations/$operation"
        params={{ cluster, operation: object.name }}
        className="font-strong text-ink hover:text-accent-text hover:underline"
      >
        {event.description ?? object.name}
      </Link>
    )
  }
  const instance = object.kind === 'instances' ? object.name : object.of
  if (event.source?.startsWith('/1.0/instances/') === true && instance !== null) {
    return (
      <Link
        to="/clusters/$cluster/instances"
        params={{ cluster }}
        search={{ q: instance }}
        className="font-strong text-ink hover:text-accent-text hover:underline"
      >
        {object.of === null ? object.name : `${object.name} of ${object.of}`}
      </Link>
    )
  }
  return <code className="font-mono text-12 wrap-anywhere">{event.source}</code>
}

function Instant({ at }: { at: string }) {
  return (
    <time dateTime={at} className="tabular-nums">
      {formatFull(at)}.{at.slice(20, 23)}
    </time>
  )
}
