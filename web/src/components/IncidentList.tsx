import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { incidentPagesQuery } from '../api/incidents.ts'
import { formatDate } from '../lib/time.ts'
import { Card } from '../ui/Card.tsx'
import { SkeletonRows } from '../ui/Skeleton.tsx'
import { Table } from '../ui/Table.tsx'
import { useMay } from './current.ts'
import { incidentColumns } from './incident-columns.tsx'

const { what, began, lasted, noticed, cluster: clusterNoticed } = incidentColumns
const columns = [what, began, lasted, noticed, clusterNoticed]
const mostShown = 5

/** The latest incidents of one server. */
export function IncidentList({ cluster, member }: { cluster: string; member: string }) {
  const { may } = useMay('incident.list')
  const { data, error } = useInfiniteQuery(incidentPagesQuery(cluster, { member }))
  const [first] = data?.pages ?? []
  if (!may) return null
  return (
    <Card
      title="Incidents"
      note="departures from healthy"
      aside={
        <Link
          to="/clusters/$cluster/incidents"
          params={{ cluster }}
          search={{ member }}
          className="rounded-sm text-12 font-strong text-accent-text hover:underline"
        >
          All incidents of {member}
        </Link>
      }
    >
      {first !== undefined ? (
        <Table
          label="Incidents"
          columns={columns}
          rows={first.incidents.slice(0, mostShown)}
          keyOf={({ id }) => id}
          empty={
            <p className="px-(--pad-x) py-3 text-ink-3">
              None{first.since !== null && ` since ${formatDate(first.since)}, when this console began to keep them`}.
            </p>
          }
        />
      ) : error === null ? (
        <SkeletonRows rows={2} />
      ) : (
        <p className="px-(--pad-x) py-3 text-ink-3">{error.message}</p>
      )}
    </Card>
  )
}
