import type { AccessPath, PathIncident } from '@malleus/shared/api/access-paths.ts'
import { Link } from '@tanstack/react-router'
import { MemberLink } from '../../components/MemberLink.tsx'
import { useClusterName } from '../../components/current.ts'
import { Ago, Ticking } from '../../components/Ticking.tsx'
import { formatDuration } from '../../lib/time.ts'
import { Card } from '../../ui/Card.tsx'
import { Table, type Column } from '../../ui/Table.tsx'
import { describeWait } from './path-words.ts'

const columns: readonly Column<PathIncident>[] = [
  { id: 'began', title: 'Began', header: true, cell: (incident) => <Began incident={incident} /> },
  { id: 'server', title: 'Server', cell: ({ member }) => <MemberLink name={member} /> },
  { id: 'symptom', title: 'What', cell: ({ symptom }) => symptom ?? 'did not show' },
  {
    id: 'lasted',
    title: 'Lasted',
    from: 'sm',
    align: 'end',
    cell: ({ beganAt, endedAt }) =>
      endedAt === null ? (
        <Ticking describe={(now) => formatDuration(now - Date.parse(beganAt))} />
      ) : (
        formatDuration(Date.parse(endedAt) - Date.parse(beganAt))
      ),
  },
  {
    id: 'worst',
    title: 'Slowest first answer',
    align: 'end',
    cell: ({ clients, worstMs, unanswered }) =>
      clients === 0 ? <span className="text-ink-3">–</span> : describeWait(worstMs, unanswered),
  },
  {
    id: 'good',
    title: 'New clients held up for',
    hint: 'From the last answer of the server to the first answer after which no new client was held up',
    align: 'end',
    from: 'md',
    cell: ({ goodAfterMs, endedAt }) =>
      goodAfterMs === null ? (endedAt === null ? 'nobody so far' : 'nobody') : formatDuration(goodAfterMs),
  },
]

/** What servers that failed did to this path. */
export function PathIncidents({ path }: { path: AccessPath }) {
  return (
    <Card title="Incidents on this path" note="servers that failed, and what new clients noticed">
      <Table
        label="Incidents on this path"
        columns={columns}
        rows={path.incidents}
        keyOf={({ incident }) => incident}
        empty={<p className="px-(--pad-x) py-3 text-ink-3">None while it was watched.</p>}
      />
    </Card>
  )
}

function Began({ incident: { incident, beganAt } }: { incident: PathIncident }) {
  const cluster = useClusterName()
  return (
    <Link
      to="/clusters/$cluster/incidents/$incident"
      params={{ cluster, incident }}
      className="rounded-sm font-strong text-accent-text hover:underline"
    >
      <Ago at={beganAt} />
    </Link>
  )
}
