import type { Incident } from '@malleus/shared/api/incidents.ts'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { ApiError } from '../../api/api-error.ts'
import { historyAroundQuery } from '../../api/audit.ts'
import { incidentQuery } from '../../api/incidents.ts'
import { useMay } from '../../components/current.ts'
import { HistoryList } from '../../components/HistoryList.tsx'
import {
  courseOf,
  howItEnded,
  incidentTitle,
  lengthText,
  stateOfIncident,
  whatElse,
  whatPeopleNoticed,
  whenTheClusterNoticed,
} from '../../components/incident-words.ts'
import { ForRole } from '../../components/ListPage.tsx'
import { PageTitle } from '../../components/PageTitle.tsx'
import { ProblemNotice } from '../../components/ProblemNotice.tsx'
import { Ticking } from '../../components/Ticking.tsx'
import { cx } from '../../lib/class-names.ts'
import { serverNow } from '../../lib/clock.ts'
import { formatClock, formatDuration, formatFull } from '../../lib/time.ts'
import { Badge } from '../../ui/Badge.tsx'
import { Boundary } from '../../ui/Boundary.tsx'
import { Card, Fact, Facts } from '../../ui/Card.tsx'
import { Notice } from '../../ui/Notice.tsx'
import { SkeletonRows } from '../../ui/Skeleton.tsx'
import { inkOf, StateMark } from '../../ui/StateMark.tsx'
import { rangeAround, recordsAround } from './around.ts'

const route = getRouteApi('/clusters/$cluster/incidents/$incident')

export function IncidentPage() {
  return (
    <ForRole action="incident.list" title="Incident" what="the incidents">
      <IncidentInDetail />
    </ForRole>
  )
}

function IncidentInDetail() {
  const { cluster, incident: id } = route.useParams()
  const { data, error } = useQuery(incidentQuery(cluster, id))
  if (data === undefined) {
    const isGone = error instanceof ApiError && error.code === 'not_found'
    return (
      <>
        <PageTitle title={isGone ? `There is no such incident in ${cluster}` : 'Incident'} />
        {isGone && <p className="text-ink-2">Incidents are kept for 400 days.</p>}
        {error !== null && !isGone && <ProblemNotice error={error} />}
        {error === null && (
          <Card title="Incident">
            <SkeletonRows rows={6} />
          </Card>
        )}
      </>
    )
  }
  const { incident } = data
  const { tone, shape, word } = stateOfIncident(incident)
  const besides = whatElse(incident)
  return (
    <>
      <PageTitle
        title={
          <span className="flex flex-wrap items-center gap-2.5">
            <span className="wrap-anywhere">
              <Ticking describe={(now) => incidentTitle(incident, now)} />
            </span>
            <Badge tone={tone} shape={shape}>
              {word}
            </Badge>
          </span>
        }
        sentence={howItEnded(incident)}
      />
      {error !== null && <ProblemNotice error={error} />}
      {besides !== null && <Notice tone="warning">{besides}</Notice>}
      <div className="grid items-start gap-3.5 lg:grid-cols-[minmax(0,1.6fr)_minmax(0,1fr)]">
        <Boundary title="Course">
          <Course incident={incident} />
        </Boundary>
        <Boundary title="In short">
          <InShort incident={incident} cluster={cluster} />
        </Boundary>
      </div>
      <Boundary title="Access history">
        <HistoryAround incident={incident} cluster={cluster} />
      </Boundary>
    </>
  )
}

function Course({ incident }: { incident: Incident }) {
  const lines = courseOf(incident)
  return (
    <Card title="Course" note="what this console noticed, and what the cluster said">
      <ol className="px-(--pad-x) py-2">
        {lines.map(({ at, tone, shape, headline, text }, index) => (
          <li
            // Two may happen in one millisecond.
            key={`${at} ${index}`}
            className="grid grid-cols-[68px_20px_minmax(0,1fr)] gap-x-2 py-1.5 sm:grid-cols-[68px_64px_20px_minmax(0,1fr)]"
          >
            <time dateTime={at} title={formatFull(at)} className="text-ink-3 tabular-nums">
              {formatClock(at)}
            </time>
            <span className="text-12 leading-5 text-ink-3 tabular-nums max-sm:hidden">{offsetText(incident, at)}</span>
            <span className="mt-1 flex justify-center">
              {shape === 'none' ? (
                <span aria-hidden="true" className="mt-1 size-1.5 rounded-full bg-unknown-mark" />
              ) : (
                <StateMark tone={tone} shape={shape} size={14} />
              )}
            </span>
            <span className="min-w-0 wrap-anywhere">
              <span className={cx('font-strong', tone !== 'good' && tone !== 'unknown' && inkOf[tone])}>
                {headline}
              </span>
              {text !== null && <span className="block text-ink-2">{text}</span>}
            </span>
          </li>
        ))}
      </ol>
    </Card>
  )
}

/** Counted from when this console noticed. */
function offsetText({ beganAt }: Incident, at: string): string {
  const ms = Date.parse(at) - Date.parse(beganAt)
  if (ms === 0) return ''
  return `${ms < 0 ? '−' : '+'}${formatDuration(Math.abs(ms))}`
}

function InShort({ incident, cluster }: { incident: Incident; cluster: string }) {
  const { member, beganAt, beginning, relapses, outMs, gaps } = incident
  return (
    <Card title="In short">
      <Facts>
        <Fact name="Server">
          <Link
            to="/clusters/$cluster/members/$member"
            params={{ cluster, member }}
            className="font-strong text-accent-text hover:underline"
          >
            {member}
          </Link>
        </Fact>
        <Fact name="Began">
          {formatFull(beganAt)}
          {beginning === 'found' && (
            <span className="block text-12 text-ink-3">or before: this console did not watch</span>
          )}
        </Fact>
        <Fact name="Lasted">
          <Ticking describe={(now) => lengthText(incident, now)} />
          {(relapses > 0 || gaps.length > 0) && (
            <span className="block text-12 text-ink-3">
              {formatDuration(outMs)} of it not healthy
              {relapses > 0 && `, after ${timesText(relapses)} well in between`}
            </span>
          )}
        </Fact>
        <Fact name="People noticed">{whatPeopleNoticed(incident)}</Fact>
        <Fact name="The cluster">{whenTheClusterNoticed(incident)}</Fact>
        <Fact name="Evidence">
          <Link
            to="/clusters/$cluster/members/$member/health"
            params={{ cluster, member }}
            search={{ range: rangeAround(incident, serverNow()) }}
            className="font-strong text-accent-text hover:underline"
          >
            Probes and changes of {member}
          </Link>
        </Fact>
      </Facts>
    </Card>
  )
}

function timesText(times: number): string {
  return times === 1 ? 'once' : `${times} times`
}

/** Who did what to the server about that time. */
function HistoryAround({ incident, cluster }: { incident: Incident; cluster: string }) {
  const { may } = useMay('audit.read')
  const { data, error } = useQuery(historyAroundQuery(cluster, incident.member))
  if (!may) return null
  const { records, isWhole } = recordsAround(data?.records ?? [], incident)
  return (
    <Card title="Access history around it" note={`on ${incident.member}, from 10 minutes before to 10 minutes after`}>
      {data === undefined ? (
        error === null ? (
          <SkeletonRows rows={2} />
        ) : (
          <p className="px-(--pad-x) py-3 text-ink-3">{error.message}</p>
        )
      ) : records.length > 0 ? (
        <HistoryList records={records} />
      ) : (
        <p className="px-(--pad-x) py-3 text-ink-3">
          {isWhole
            ? 'Nobody changed anything on it, and nobody was refused.'
            : 'It is too long ago to be among the latest 200 records of this server.'}
        </p>
      )}
    </Card>
  )
}
