import type { Member } from '@malleus/shared/api/members.ts'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useDeferredValue, useState } from 'react'
import { healthHistoryQuery, memberListQuery } from '../../api/members.ts'
import { stripOf } from '../../components/health-strip-words.ts'
import { EmptyTable, ForRole, ListPage } from '../../components/ListPage.tsx'
import { memberColumns } from '../../components/member-columns.tsx'
import { useTicking } from '../../lib/clock.ts'
import { useStore } from '../../lib/store.ts'
import { preferences } from '../../stores/preferences.ts'
import { Table } from '../../ui/Table.tsx'
import {
  allColumns,
  describeList,
  filterMembers,
  fixedColumns,
  formatSort,
  parseSort,
  shownColumns,
  sortMembers,
} from './member-list.ts'

const route = getRouteApi('/clusters/$cluster/members')

export function MembersPage() {
  return (
    <ForRole action="member.list" title="Servers" what="the servers">
      <Members />
    </ForRole>
  )
}

function Members() {
  const { cluster } = route.useParams()
  const { sort: sortText, q = '', show } = route.useSearch()
  const navigate = route.useNavigate()
  const list = useQuery(memberListQuery(cluster))
  const history = useQuery(healthHistoryQuery(cluster)).data
  const shown = shownColumns(useStore(preferences).memberColumns)
  const sort = parseSort(sortText)
  const query = useDeferredValue(q)

  const all = list.data?.members ?? []
  const members = useHeldOrder(
    sortMembers(filterMembers(all, query, show === 'attention'), sort),
    `${sortText} ${query}`,
  )
  const rows = members.map((member) => ({ member, history: stripOf(history, member.name) }))

  return (
    <ListPage
      title="Servers"
      sentence={list.data && describeList(all, members.length)}
      error={list.error}
      filter={{
        label: 'Filter by name, state, role, @group…',
        value: q,
        onChange: (value) =>
          void navigate({ search: (before) => ({ ...before, q: value || undefined }), replace: true }),
        className: 'min-w-44 grow sm:max-w-80',
      }}
      more={
        <label className="flex h-8 items-center gap-2 rounded-[7px] border border-line-strong bg-raised px-2.5 font-strong hover:bg-hover">
          <input
            type="checkbox"
            checked={show === 'attention'}
            onChange={(event) =>
              void navigate({
                search: (before) => ({ ...before, show: event.target.checked ? 'attention' : undefined }),
                replace: true,
              })
            }
            className="accent-accent"
          />
          Needs attention
        </label>
      }
      columns={{ preference: 'memberColumns', offered, shown }}
    >
      {list.data && (
        <Table
          label="Servers"
          columns={shown.map((id) => memberColumns[id])}
          rows={rows}
          keyOf={({ member }) => member.name}
          sort={sort}
          onSort={(next) =>
            void navigate({ search: (before) => ({ ...before, sort: formatSort(next) }), replace: true })
          }
          empty={
            <EmptyTable>
              {all.length === 0 ? 'No server of this cluster is known yet.' : 'No server fits this filter.'}
            </EmptyTable>
          }
        />
      )}
    </ListPage>
  )
}

const offered = allColumns.filter((id) => !fixedColumns.includes(id)).map((id) => memberColumns[id])

/**
 * Rows that are sorted by what changes each second would jump under the pointer: their order holds for five seconds,
 * unless a row comes, goes or changes its state, or the person sorts or filters.
 */
function useHeldOrder(sorted: readonly Member[], asked: string): readonly Member[] {
  const epoch = useTicking((now) => String(Math.floor(now / 5000)))
  const states = sorted.map(({ name, health }) => `${name}:${health.standing}`).toSorted()
  const key = [epoch, asked, ...states].join('|')
  const [held, setHeld] = useState({ key: '', names: [] as readonly string[] })
  if (held.key === key) {
    const rows = new Map(sorted.map((member) => [member.name, member]))
    return held.names.flatMap((name) => rows.get(name) ?? [])
  }
  setHeld({ key, names: sorted.map(({ name }) => name) })
  return sorted
}
