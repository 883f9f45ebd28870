import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { instanceKey, type Instance } from '@malleus/shared/api/instances.ts'
import { Columns3 } from 'lucide-react'
import { lazy, Suspense, useDeferredValue, useRef, useState, type ReactNode } from 'react'
import { instanceListQuery, type InstanceList } from '../../api/instances.ts'
import { useMay } from '../../components/current.ts'
import { MemberLink } from '../../components/MemberLink.tsx'
import { PageTitle } from '../../components/PageTitle.tsx'
import { ProblemNotice } from '../../components/ProblemNotice.tsx'
import { RoleNotice } from '../../components/RoleNotice.tsx'
import { useStore } from '../../lib/store.ts'
import { preferences } from '../../stores/preferences.ts'
import { Boundary } from '../../ui/Boundary.tsx'
import { Button } from '../../ui/Button.tsx'
import { LongTable } from '../../ui/LongTable.tsx'
import { Notice } from '../../ui/Notice.tsx'
import { SearchField } from '../../ui/SearchField.tsx'
import { SkeletonRows } from '../../ui/Skeleton.tsx'
import type { Sort } from '../../ui/Table.tsx'
import { instanceColumns } from './instance-columns.tsx'
import { describeList, filterInstances, formatSort, parseSort, shownColumns, sortInstances } from './instance-list.ts'
import { NoInstances } from './NoInstances.tsx'
import { oldStates } from './old-states.ts'
import { useTypedText } from './use-typed-text.ts'

const route = getRouteApi('/clusters/$cluster/instances')
const ColumnMenu = lazy(() => import('./ColumnMenu.tsx').then((m) => ({ default: m.ColumnMenu })))

export function InstancesPage() {
  const { may } = useMay('instance.list')
  if (may) return <Instances />
  return (
    <>
      <PageTitle title="Instances" />
      <RoleNotice what="the instances" />
    </>
  )
}

function Instances() {
  const { cluster } = route.useParams()
  const { q = '', sort: sortText } = route.useSearch()
  const navigate = route.useNavigate()
  const { data, isError, error } = useQuery(instanceListQuery(cluster))
  const [text, setText] = useTypedText(
    q,
    (value) => void navigate({ search: (before) => ({ ...before, q: value || undefined }), replace: true }),
  )
  // What is typed is seen at once; the rows follow.
  const query = useDeferredValue(text)
  const sort = parseSort(sortText)
  const all = data?.instances ?? none
  const isKnown = data !== undefined && data.freshness.kind !== 'unavailable'
  // Sorted once for all that is typed afterwards.
  const sorted = sortInstances(all, sort)
  const rows = filterInstances(sorted, query)

  return (
    <>
      <PageTitle title="Instances" sentence={isKnown ? describeList(all, rows.length) : undefined} />
      {isError && <ProblemNotice error={error} />}
      {data && <OldStatesNotices list={data} />}
      <div className="flex flex-wrap items-center gap-2">
        <SearchField
          label="Filter by name, state, type, project, server, profile…"
          value={text}
          onChange={setText}
          className="min-w-44 grow sm:max-w-96"
        />
        <div className="ml-auto">
          <ColumnsButton />
        </div>
      </div>
      {(data !== undefined || !isError) && (
        <Boundary title="Instances">
          <div className="overflow-clip rounded-[10px] border border-line bg-surface">
            {data === undefined ? (
              <SkeletonRows rows={10} />
            ) : (
              <Rows
                list={data}
                rows={rows}
                sort={sort}
                onSort={(next) =>
                  void navigate({ search: (before) => ({ ...before, sort: formatSort(next) }), replace: true })
                }
              />
            )}
          </div>
        </Boundary>
      )}
    </>
  )
}

const none: readonly Instance[] = []

function Rows(props: { list: InstanceList; rows: readonly Instance[]; sort: Sort; onSort: (sort: Sort) => void }) {
  const { list, rows, sort, onSort } = props
  const { instances, members, freshness } = list
  const chosen = useStore(preferences).instanceColumns
  const columns = instanceColumns(new Map(members.map((member) => [member.name, member])))

  if (freshness.kind === 'unavailable') {
    return <Nothing>{`Which instances there are is not known: ${lowerFirst(freshness.reason)}`}</Nothing>
  }
  if (instances.length === 0) return <NoInstances />
  if (rows.length === 0) return <Nothing>No instance fits this filter.</Nothing>
  return (
    <LongTable
      label="Instances"
      columns={shownColumns(chosen).map((id) => columns[id])}
      rows={rows}
      keyOf={instanceKey}
      sort={sort}
      onSort={onSort}
    />
  )
}

function Nothing({ children }: { children: ReactNode }) {
  return <p className="px-(--pad-x) py-6 text-center text-ink-3">{children}</p>
}

/** Which states are not of now, since when and why: one sentence for each reason. */
function OldStatesNotices({ list }: { list: InstanceList }) {
  return oldStates(list).map(({ sentence, servers: [server, ...others] }) => (
    <Notice
      key={sentence}
      tone="warning"
      {...(server !== undefined && others.length === 0 ? { actions: <MemberLink name={server} /> } : {})}
    >
      {sentence}
    </Notice>
  ))
}

function ColumnsButton() {
  const [open, setOpen] = useState(false)
  const trigger = useRef<HTMLButtonElement>(null)
  return (
    <>
      <Button ref={trigger} opens="menu" expanded={open} onPress={() => setOpen(true)}>
        <Columns3 size={14} aria-hidden="true" />
        Columns
      </Button>
      {open && (
        <Suspense fallback={null}>
          <ColumnMenu trigger={trigger} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  )
}

function lowerFirst(sentence: string): string {
  return `${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`
}
