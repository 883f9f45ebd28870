import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { incidentPagesQuery } from '../../api/incidents.ts'
import { useMembers } from '../../components/current.ts'
import { incidentColumns } from '../../components/incident-columns.tsx'
import { EmptyTable, ForRole } from '../../components/ListPage.tsx'
import { PageTitle } from '../../components/PageTitle.tsx'
import { ProblemNotice } from '../../components/ProblemNotice.tsx'
import { byName } from '../../lib/by-name.ts'
import { formatDate } from '../../lib/time.ts'
import { Boundary } from '../../ui/Boundary.tsx'
import { Button } from '../../ui/Button.tsx'
import { SkeletonRows } from '../../ui/Skeleton.tsx'
import { Table } from '../../ui/Table.tsx'
import { describeIncidents } from './incident-list.ts'

const route = getRouteApi('/clusters/$cluster/incidents')
const { what, server, began, lasted, noticed, cluster: clusterNoticed } = incidentColumns
const columns = [what, server, began, lasted, noticed, clusterNoticed]

export function IncidentsPage() {
  return (
    <ForRole action="incident.list" title="Incidents" what="the incidents">
      <Incidents />
    </ForRole>
  )
}

function Incidents() {
  const { cluster } = route.useParams()
  const { member, doubts = false } = route.useSearch()
  const navigate = route.useNavigate()
  const query = useInfiniteQuery(incidentPagesQuery(cluster, { member, doubts }))
  const pages = query.data?.pages ?? []
  const incidents = pages.flatMap((page) => page.incidents)
  const hidden = pages.reduce((sum, page) => sum + page.doubtsHidden, 0)
  const since = pages[0]?.since ?? null

  return (
    <>
      <PageTitle title="Incidents" sentence={query.data && describeIncidents(incidents, query.hasNextPage)} />
      {query.isError && <ProblemNotice error={query.error} />}
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <ServerChoice
          chosen={member}
          onChoose={(name) => void navigate({ search: (before) => ({ ...before, member: name }), replace: true })}
        />
        <label className="flex items-center gap-2">
          <input
            type="checkbox"
            className="size-3.5 accent-(--accent)"
            checked={doubts}
            onChange={() =>
              void navigate({ search: (before) => ({ ...before, doubts: doubts ? undefined : true }), replace: true })
            }
          />
          Passing doubts too
        </label>
        {hidden > 0 && (
          <span className="text-12 text-ink-3">
            {hidden} hidden: a question without an answer, and well again within 10 s
          </span>
        )}
      </div>
      {(query.data !== undefined || !query.isError) && (
        <Boundary title="Incidents">
          <div className="overflow-clip rounded-[10px] border border-line bg-surface">
            {query.data === undefined ? (
              <SkeletonRows rows={8} />
            ) : (
              <Table
                label="Incidents"
                columns={columns}
                rows={incidents}
                keyOf={({ id }) => id}
                empty={<EmptyTable>{nothing(member, since)}</EmptyTable>}
              />
            )}
            {query.hasNextPage && (
              <div className="border-t border-line px-2 py-1">
                <Button tone="quiet" size="small" onPress={() => void query.fetchNextPage()}>
                  Show older ones
                </Button>
              </div>
            )}
          </div>
        </Boundary>
      )}
      <p className="px-1 text-12 text-ink-3">
        An incident begins when a server is no longer healthy, and ends when it has been healthy for 30 s. They are kept
        for 400 days.
      </p>
    </>
  )
}

function nothing(member: string | undefined, since: string | null): string {
  const who = member === undefined ? 'Every server' : member
  return since === null
    ? `${who} has been healthy.`
    : `${who} has been healthy since ${formatDate(since)}, when this console began to watch.`
}

function ServerChoice({
  chosen,
  onChoose,
}: {
  chosen: string | undefined
  onChoose: (name: string | undefined) => void
}) {
  const names = useMembers()
    .map(({ name }) => name)
    .toSorted(byName)
  // One that has left may still have incidents.
  const all = chosen === undefined || names.includes(chosen) ? names : [...names, chosen]
  return (
    <label className="flex items-center gap-2">
      <span className="text-ink-2">Server</span>
      <select
        value={chosen ?? ''}
        onChange={({ target }) => onChoose(target.value === '' ? undefined : target.value)}
        className="h-8 max-w-60 rounded-[7px] border border-line-strong bg-raised px-2 text-ink"
      >
        <option value="">all</option>
        {all.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
}
