import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { instanceKey, type Instance } from '@malleus/shared/api/instances.ts'
import { useDeferredValue } from 'react'
import { instanceListQuery, type InstanceList } from '../../api/instances.ts'
import { EmptyTable, ForRole, ListPage } from '../../components/ListPage.tsx'
import { MemberLink } from '../../components/MemberLink.tsx'
import { useStore } from '../../lib/store.ts'
import { useTypedText } from '../../lib/use-typed-text.ts'
import { preferences } from '../../stores/preferences.ts'
import { LongTable } from '../../ui/LongTable.tsx'
import { Notice } from '../../ui/Notice.tsx'
import type { Sort } from '../../ui/Table.tsx'
import { instanceColumns, type InstanceColumn } from './instance-columns.tsx'
import {
  allColumns,
  describeList,
  filterInstances,
  fixedColumns,
  formatSort,
  parseSort,
  shownColumns,
  sortInstances,
} from './instance-list.ts'
import { NoInstances } from './NoInstances.tsx'
import { oldStates } from './old-states.ts'

const route = getRouteApi('/clusters/$cluster/instances')

export function InstancesPage() {
  return (
    <ForRole action="instance.list" title="Instances" what="the instances">
      <Instances />
    </ForRole>
  )
}

function Instances() {
  const { cluster } = route.useParams()
  const { q = '', sort: sortText } = route.useSearch()
  const navigate = route.useNavigate()
  const { data, error } = useQuery(instanceListQuery(cluster))
  const shown = shownColumns(useStore(preferences).instanceColumns)
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
    <ListPage
      title="Instances"
      sentence={isKnown ? describeList(all, rows.length) : undefined}
      error={error}
      notices={data && <OldStatesNotices list={data} />}
      filter={{
        label: 'Filter by name, state, type, project, server, profile…',
        value: text,
        onChange: setText,
        className: 'min-w-44 grow sm:max-w-96',
      }}
      columns={{ preference: 'instanceColumns', offered, shown }}
    >
      {data && (
        <Rows
          list={data}
          shown={shown}
          rows={rows}
          sort={sort}
          onSort={(next) =>
            void navigate({ search: (before) => ({ ...before, sort: formatSort(next) }), replace: true })
          }
        />
      )}
    </ListPage>
  )
}

const none: readonly Instance[] = []
const everyColumn = instanceColumns(new Map())
const offered = allColumns.filter((id) => !fixedColumns.includes(id)).map((id) => everyColumn[id])

function Rows(props: {
  list: InstanceList
  shown: readonly InstanceColumn[]
  rows: readonly Instance[]
  sort: Sort
  onSort: (sort: Sort) => void
}) {
  const { list, shown, rows, sort, onSort } = props
  const { instances, members, freshness } = list
  const columns = instanceColumns(new Map(members.map((member) => [member.name, member])))

  if (freshness.kind === 'unavailable') {
    return <EmptyTable>{`Which instances there are is not known: ${lowerFirst(freshness.reason)}`}</EmptyTable>
  }
  if (instances.length === 0) return <NoInstances />
  if (rows.length === 0) return <EmptyTable>No instance fits this filter.</EmptyTable>
  return (
    <LongTable
      label="Instances"
      columns={shown.map((id) => columns[id])}
      rows={rows}
      keyOf={instanceKey}
      sort={sort}
      onSort={onSort}
    />
  )
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

function lowerFirst(sentence: string): string {
  return `${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`
}
