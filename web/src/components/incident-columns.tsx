import type { IncidentSummary } from '@malleus/shared/api/incidents.ts'
import { Link } from '@tanstack/react-router'
import { formatFull } from '../lib/time.ts'
import { Badge } from '../ui/Badge.tsx'
import { inkOf } from '../ui/StateMark.tsx'
import type { Column } from '../ui/Table.tsx'
import { useClusterName } from './current.ts'
import { clusterText, lengthText, noticedText, stateOfIncident, toneOfRequests } from './incident-words.ts'
import { MemberLink } from './MemberLink.tsx'
import { Ago, Ticking } from './Ticking.tsx'

const server: Column<IncidentSummary> = {
  id: 'server',
  title: 'Server',
  cell: ({ member }) => <MemberLink name={member} />,
}

const what: Column<IncidentSummary> = {
  id: 'what',
  title: 'What',
  header: true,
  cell: (incident) => <IncidentLink incident={incident} />,
}

const began: Column<IncidentSummary> = {
  id: 'began',
  title: 'Began',
  cell: ({ beganAt, beginning }) => (
    <span title={formatFull(beganAt)}>
      {beginning === 'found' && 'before '}
      <Ago at={beganAt} />
    </span>
  ),
}

const lasted: Column<IncidentSummary> = {
  id: 'lasted',
  title: 'Lasted',
  cell: (incident) => (
    <span className={incident.end === null ? 'font-strong' : ''}>
      <Ticking describe={(now) => lengthText(incident, now)} />
    </span>
  ),
}

const noticed: Column<IncidentSummary> = {
  id: 'noticed',
  title: 'People noticed',
  hint: 'Requests of people that got no answer, took longer than 300 ms, or had to be answered by another server',
  from: 'sm',
  cell: ({ requests }) => {
    const tone = toneOfRequests(requests)
    return <span className={tone === null ? 'text-ink-2' : inkOf[tone]}>{noticedText(requests)}</span>
  },
}

const cluster: Column<IncidentSummary> = {
  id: 'cluster',
  title: 'Cluster noticed',
  hint: 'When the cluster itself called the server Offline, counted from when this console noticed',
  from: 'md',
  cell: (incident) => <span className="text-ink-2">{clusterText(incident)}</span>,
}

export const incidentColumns = { server, what, began, lasted, noticed, cluster }

function IncidentLink({ incident }: { incident: IncidentSummary }) {
  const cluster = useClusterName()
  const { tone, shape, word } = stateOfIncident(incident)
  return (
    <Link
      to="/clusters/$cluster/incidents/$incident"
      params={{ cluster, incident: incident.id }}
      aria-label={`${word}, ${incident.member}, ${formatFull(incident.beganAt)}`}
      className="rounded-sm hover:underline"
    >
      <Badge tone={tone} shape={shape}>
        {word}
      </Badge>
    </Link>
  )
}
