import type { AccessPath, PathServer } from '@malleus/shared/api/access-paths.ts'
import { MemberLink } from '../../components/MemberLink.tsx'
import { formatMs } from '../../lib/time.ts'
import { Badge } from '../../ui/Badge.tsx'
import type { Column } from '../../ui/Table.tsx'
import { Table } from '../../ui/Table.tsx'
import { toneOfServer } from './drawing.ts'

const columns: readonly Column<PathServer>[] = [
  { id: 'name', title: 'Server', header: true, cell: ({ name }) => <MemberLink name={name} /> },
  {
    id: 'address',
    title: 'Address',
    from: 'md',
    cell: ({ address }) => <span className="font-mono text-12">{address}</span>,
  },
  { id: 'place', title: 'On this path', cell: (server) => <Place server={server} /> },
  {
    id: 'share',
    title: 'Connections',
    hint: 'Its part of the connections of the last minutes',
    align: 'end',
    from: 'sm',
    cell: ({ share }) => (share === null ? <span className="text-ink-3">–</span> : `${Math.round(100 * share)}%`),
  },
  {
    id: 'answer',
    title: 'First answer',
    hint: 'Of the last new connection that met it',
    align: 'end',
    cell: ({ answerMs }) => (answerMs === null ? <span className="text-ink-3">–</span> : formatMs(answerMs)),
  },
]

/** The drawing in words. */
export function PathServers({ path }: { path: AccessPath }) {
  return (
    <Table
      label="Servers on this path"
      columns={columns}
      rows={path.servers}
      keyOf={({ name }) => name}
      empty={<p className="px-(--pad-x) py-3 text-ink-3">No server is known yet.</p>}
    />
  )
}

function Place({ server }: { server: PathServer }) {
  const { place, note, symptom } = server
  if (place === 'off') return <span className="text-ink-3">No{note === null ? '' : `, ${note}`}</span>
  if (place === 'unknown')
    return <span className="text-ink-3">Not seen yet{symptom === null ? '' : `, ${symptom}`}</span>
  const tone = toneOfServer(server)
  return (
    <Badge tone={tone} shape={tone === 'good' ? 'check' : tone === 'warning' ? 'quarter' : 'cross'}>
      {symptom === null ? 'Yes' : `Yes, ${symptom}`}
    </Badge>
  )
}
