import type { Member } from '@malleus/shared/api/members.ts'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { Columns3 } from 'lucide-react'
import { lazy, Suspense, useDeferredValue, useRef, useState } from 'react'
import { healthHistoryQuery, memberListQuery } from '../../api/members.ts'
import { stripOf } from '../../components/health-strip-words.ts'
import { memberColumns } from '../../components/member-columns.tsx'
import { useMay } from '../../components/current.ts'
import { PageTitle } from '../../components/PageTitle.tsx'
import { ProblemNotice } from '../../components/ProblemNotice.tsx'
import { RoleNotice } from '../../components/RoleNotice.tsx'
import { useTicking } from '../../lib/clock.ts'
import { useStore } from '../../lib/store.ts'
import { preferences } from '../../stores/preferences.ts'
import { Boundary } from '../../ui/Boundary.tsx'
import { Button } from '../../ui/Button.tsx'
import { SearchField } from '../../ui/SearchField.tsx'
import { SkeletonRows } from '../../ui/Skeleton.tsx'
import { Table } from '../../ui/Table.tsx'
import { describeList, filterMembers, formatSort, parseSort, shownColumns, sortMembers } from './member-list.ts'

const route = getRouteApi('/clusters/$cluster/members')
const ColumnMenu = lazy(() => import('./ColumnMenu.tsx').then((m) => ({ default: m.ColumnMenu })))

export function MembersPage() {
  const { may } = useMay('member.list')
  if (may) return <Members />
  return (
    <>
      <PageTitle title="Servers" />
      <RoleNotice what="the servers" />
    </>
  )
}

function Members() {
  const { cluster } = route.useParams()
  const { sort: sortText, q = '', show } = route.useSearch()
  const navigate = route.useNavigate()
  const list = useQuery(memberListQuery(cluster))
  const history = useQuery(healthHistoryQuery(cluster)).data
  const chosen = useStore(preferences).memberColumns
  const sort = parseSort(sortText)
  const query = useDeferredValue(q)

  const all = list.data?.members ?? []
  const members = useHeldOrder(
    sortMembers(filterMembers(all, query, show === 'attention'), sort),
    `${sortText} ${query}`,
  )
  const rows = members.map((member) => ({ member, history: stripOf(history, member.name) }))
  const columns = shownColumns(chosen).map((id) => memberColumns[id])

  return (
    <>
      <PageTitle title="Servers" sentence={list.data && describeList(all, members.length)} />
      {list.isError && <ProblemNotice error={list.error} />}
      <div className="flex flex-wrap items-center gap-2">
        <SearchField
          label="Filter by name, state, role, @group…"
          value={q}
          onChange={(value) =>
            void navigate({ search: (before) => ({ ...before, q: value || undefined }), replace: true })
          }
          className="min-w-44 grow sm:max-w-80"
        />
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
        <div className="ml-auto">
          <ColumnsButton />
        </div>
      </div>
      {(list.data !== undefined || !list.isError) && (
        <Boundary title="Servers">
          <div className="overflow-clip rounded-[10px] border border-line bg-surface">
            {list.data === undefined ? (
              <SkeletonRows rows={10} />
            ) : (
              <Table
                label="Servers"
                columns={columns}
                rows={rows}
                keyOf={({ member }) => member.name}
                sort={sort}
                onSort={(next) =>
                  void navigate({ search: (before) => ({ ...before, sort: formatSort(next) }), replace: true })
                }
                empty={
                  <p className="px-(--pad-x) py-6 text-center text-ink-3">
                    {all.length === 0 ? 'No server of this cluster is known yet.' : 'No server fits this filter.'}
                  </p>
                }
              />
            )}
          </div>
        </Boundary>
      )}
    </>
  )
}

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
