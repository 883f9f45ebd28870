import type { Operation } from '@malleus/shared/api/operations.ts'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useDeferredValue } from 'react'
import { keptOperationsQuery, mergeOperations } from '../../api/kept-operations.ts'
import { operationListQuery, type OperationList } from '../../api/operations.ts'
import { FilterButton } from '../../components/FilterButton.tsx'
import { EmptyTable, ForRole, ListPage } from '../../components/ListPage.tsx'
import { MemberLink } from '../../components/MemberLink.tsx'
import { ProblemNotice } from '../../components/ProblemNotice.tsx'
import { useStore } from '../../lib/store.ts'
import { useTypedText } from '../../lib/use-typed-text.ts'
import { preferences } from '../../stores/preferences.ts'
import { LongTable } from '../../ui/LongTable.tsx'
import { Notice } from '../../ui/Notice.tsx'
import { NoOperations } from './NoOperations.tsx'
import { oldParts } from './old-parts.ts'
import { operationColumns } from './operation-columns.tsx'
import {
  allColumns,
  choicesIn,
  describeList,
  elsewhere,
  filterOperations,
  fixedColumns,
  formatSort,
  parseSort,
  shownColumns,
  sortOperations,
} from './operation-list.ts'
import { stateNames } from './operation-state.ts'

const route = getRouteApi('/clusters/$cluster/operations')

export function OperationsPage() {
  return (
    <ForRole action="operation.list" title="Operations" what="the operations">
      <Operations />
    </ForRole>
  )
}

const none: readonly Operation[] = []

function Operations() {
  const { cluster } = route.useParams()
  const { q = '', sort: sortText, state, server, project, who } = route.useSearch()
  const navigate = route.useNavigate()
  const recent = useQuery(operationListQuery(cluster))
  const kept = useQuery(keptOperationsQuery(cluster))
  const shown = shownColumns(useStore(preferences).operationColumns)
  const narrow = (change: Partial<ReturnType<typeof route.useSearch>>) =>
    void navigate({ search: (before) => ({ ...before, ...change }), replace: true })
  const [text, setText] = useTypedText(q, (value) => narrow({ q: value || undefined }))
  // What is typed is seen at once; the rows follow.
  const query = useDeferredValue(text)
  const sort = parseSort(sortText)

  // What was kept changes seldom and is long; what runs changes often and is short.
  const keptSorted = sortOperations(kept.data?.operations ?? none, sort)
  // A storm of changes is drawn as often as there is time for it.
  const lately = useDeferredValue(recent.data?.operations ?? none)
  const all = sortOperations(mergeOperations(keptSorted, lately), sort)
  const rows = filterOperations(all, { query, state, server, project, who })
  const { servers, projects, people } = choicesIn(all)
  const isKnown = kept.data !== undefined || recent.data !== undefined
  const isWhole = !kept.isPending && !recent.isPending

  return (
    <ListPage
      title="Operations"
      sentence={isWhole && isKnown ? describeList(all, rows.length) : undefined}
      error={recent.error}
      notices={
        <>
          {recent.data && <PartNotices list={recent.data} />}
          {kept.error !== null && recent.error === null && <ProblemNotice error={kept.error} />}
        </>
      }
      filter={{
        label: 'Filter by what, on what, progress, error, id…',
        value: text,
        onChange: setText,
        className: 'min-w-44 grow sm:max-w-80',
      }}
      more={
        <>
          <FilterButton
            label="State"
            anyText="Any state"
            chosen={state}
            options={stateNames}
            onChoose={(id) => narrow({ state: stateNames.find((name) => name.id === id)?.id })}
          />
          <FilterButton
            label="Server"
            anyText="Any server"
            chosen={server}
            options={servers}
            onChoose={(id) => narrow({ server: id })}
          />
          <FilterButton
            label="Project"
            anyText="Any project"
            chosen={project}
            options={projects}
            onChoose={(id) => narrow({ project: id })}
          />
          <FilterButton
            label="Started by"
            anyText="By anybody"
            chosen={who}
            options={[...people, { id: elsewhere, text: 'Elsewhere' }]}
            onChoose={(id) => narrow({ who: id })}
          />
        </>
      }
      columns={{ preference: 'operationColumns', offered, shown }}
    >
      {!isKnown ? undefined : all.length === 0 ? (
        <Nothing list={recent.data} isWhole={isWhole} />
      ) : rows.length === 0 ? (
        <EmptyTable>No operation fits this filter.</EmptyTable>
      ) : (
        <Rows
          list={recent.data}
          rows={rows}
          columns={shown}
          sort={sort}
          onSort={(next) => narrow({ sort: formatSort(next) })}
        />
      )}
    </ListPage>
  )
}

const everyColumn = operationColumns(new Map())
const offered = allColumns.filter((id) => !fixedColumns.includes(id)).map((id) => everyColumn[id])

function Rows(props: {
  list: OperationList | undefined
  rows: readonly Operation[]
  columns: ReturnType<typeof shownColumns>
  sort: ReturnType<typeof parseSort>
  onSort: (sort: ReturnType<typeof parseSort>) => void
}) {
  const { list, rows, columns, sort, onSort } = props
  const byName = operationColumns(new Map(list?.members.map((member) => [member.name, member])))
  return (
    <LongTable
      label="Operations"
      columns={columns.map((id) => byName[id])}
      rows={rows}
      keyOf={({ id }) => id}
      sort={sort}
      onSort={onSort}
    />
  )
}

function Nothing({ list, isWhole }: { list: OperationList | undefined; isWhole: boolean }) {
  if (list?.freshness.kind === 'unavailable') {
    const { reason } = list.freshness
    return <EmptyTable>{`What runs now is not known: ${reason.charAt(0).toLowerCase()}${reason.slice(1)}`}</EmptyTable>
  }
  return isWhole ? <NoOperations /> : <EmptyTable>Reading what was kept.</EmptyTable>
}

/** Of which servers it is not known what they do now, since when and why: one sentence for each reason. */
function PartNotices({ list }: { list: OperationList }) {
  return oldParts(list).map(({ sentence, servers: [server, ...others] }) => (
    <Notice
      key={sentence}
      tone="warning"
      {...(server !== undefined && others.length === 0 ? { actions: <MemberLink name={server} /> } : {})}
    >
      {sentence}
    </Notice>
  ))
}
