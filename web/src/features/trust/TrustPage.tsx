import type { TrustEntry } from '@malleus/shared/api/trust.ts'
import { canRemoveTrust } from '@malleus/shared/domain/possibilities.ts'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { lazy, Suspense, useDeferredValue, useState } from 'react'
import { trustQuery } from '../../api/trust.ts'
import { useMayChange, useTarget } from '../../components/current.ts'
import { FilterButton } from '../../components/FilterButton.tsx'
import { FreshnessNotice } from '../../components/FreshnessNotice.tsx'
import { EmptyTable, ForRole, ListPage } from '../../components/ListPage.tsx'
import { plural } from '../../lib/plural.ts'
import { useStore } from '../../lib/store.ts'
import { useTypedText } from '../../lib/use-typed-text.ts'
import { preferences } from '../../stores/preferences.ts'
import { Boundary } from '../../ui/Boundary.tsx'
import { Button } from '../../ui/Button.tsx'
import { LongTable } from '../../ui/LongTable.tsx'
import { EntryPanel } from './EntryPanel.tsx'
import { FindingsCard } from './FindingsCard.tsx'
import { RotationNotice } from './RotationNotice.tsx'
import { TokensCard } from './TokensCard.tsx'
import { trustColumns, type TrustColumn } from './trust-columns.tsx'
import {
  allColumns,
  describeTrust,
  filterEntries,
  fixedColumns,
  formatSort,
  kindNames,
  parseSort,
  shownColumns,
  sortEntries,
} from './trust-list.ts'

const AddDialog = lazy(() => import('./AddDialog.tsx').then((m) => ({ default: m.AddDialog })))
const RotateDialog = lazy(() => import('./RotateDialog.tsx').then((m) => ({ default: m.RotateDialog })))
const RemoveDialog = lazy(() => import('./RemoveDialog.tsx').then((m) => ({ default: m.RemoveDialog })))

const route = getRouteApi('/clusters/$cluster/trust')

export function TrustPage() {
  return (
    <ForRole action="trust.list" title="Trust" what="whom the cluster trusts">
      <Trust />
    </ForRole>
  )
}

const none: readonly TrustEntry[] = []
/** What has room beside the panel. */
const besidePanel: readonly TrustColumn[] = ['pick', 'name', 'may', 'state', 'expires']

function Trust() {
  const { cluster } = route.useParams()
  const { q = '', sort: sortText, kind, entry: openedName } = route.useSearch()
  const navigate = route.useNavigate()
  const { data: trust, error } = useQuery(trustQuery(cluster, useTarget()))
  const [adding, setAdding] = useState(false)
  // Here, and not beside the entry: that is another one when it is done.
  const [rotating, setRotating] = useState(false)
  const [removing, setRemoving] = useState<readonly TrustEntry[] | null>(null)
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set())
  const add = useMayChange('trust.token')
  const remove = useMayChange('trust.remove')
  const shown = shownColumns(useStore(preferences).trustColumns)
  const narrow = (change: Partial<ReturnType<typeof route.useSearch>>) =>
    void navigate({ search: (before) => ({ ...before, ...change }), replace: true })
  const [text, setText] = useTypedText(q, (value) => narrow({ q: value || undefined }))
  // What is typed is seen at once; the rows follow.
  const query = useDeferredValue(text)
  const sort = parseSort(sortText)

  const all = trust?.entries ?? none
  const isKnown = trust !== undefined && trust.freshness.kind !== 'unavailable'
  const rows = sortEntries(filterEntries(all, { query, kind }), sort)
  const opened = all.find(({ fingerprint }) => fingerprint === openedName)
  const chosen = all.filter(({ fingerprint }) => picked.has(fingerprint))
  const columns = trustColumns({
    picked,
    uses: trust?.uses ?? null,
    onPick: (fingerprint, isPicked) =>
      setPicked((before) => {
        const next = new Set(before)
        if (isPicked) next.add(fingerprint)
        else next.delete(fingerprint)
        return next
      }),
    onOpen: (fingerprint) => narrow({ entry: fingerprint }),
    cannotRemove: (entry) => {
      if (!remove.may) return remove.because
      const possible = canRemoveTrust(entry, all)
      return possible.kind === 'cannot' ? possible.because : undefined
    },
  })
  const close = () => {
    const selector = `[data-entry="${openedName ?? ''}"]`
    const closed = navigate({ search: (before) => ({ ...before, entry: undefined }), replace: true })
    // Only then: with the panel goes what had the focus.
    void closed.then(() => document.querySelector<HTMLElement>(selector)?.focus())
  }

  return (
    <>
      <ListPage
        title="Trust"
        sentence={isKnown ? describeTrust(all, trust.tokens, kind === 'server' ? 0 : rows.length) : undefined}
        error={error}
        notices={
          trust && (
            <>
              <FreshnessNotice what="Whom the cluster trusts" freshness={trust.freshness} />
              <RotationNotice rotation={trust.rotation} />
            </>
          )
        }
        filter={{
          label: 'Filter by name, fingerprint, project, issuer…',
          value: text,
          onChange: setText,
          className: 'min-w-44 grow sm:max-w-80',
        }}
        more={
          <>
            <FilterButton
              label="Which"
              anyText="All clients"
              chosen={kind}
              options={kindNames}
              onChoose={(id) => narrow({ kind: kindNames.find((name) => name.id === id)?.id })}
            />
            <Button
              tone="primary"
              opens="dialog"
              disabledReason={add.may ? (trust === undefined ? 'It is being read.' : undefined) : add.because}
              onPress={() => setAdding(true)}
            >
              Add a client…
            </Button>
            {chosen.length > 0 && (
              <Button opens="dialog" onPress={() => setRemoving(chosen)}>
                Remove {plural(chosen.length, 'client')}…
              </Button>
            )}
          </>
        }
        columns={{ preference: 'trustColumns', offered, shown }}
      >
        {trust && (
          <div className={opened === undefined ? '' : 'lg:grid lg:grid-cols-[minmax(0,1fr)_400px] lg:items-start'}>
            {rows.length === 0 ? (
              <EmptyTable>
                {!isKnown
                  ? 'It is not known whom the cluster trusts.'
                  : all.length === 0
                    ? 'The cluster trusts nobody that you may see.'
                    : 'No entry fits.'}
              </EmptyTable>
            ) : (
              <LongTable
                label="Trusted clients"
                columns={(opened === undefined ? shown : besidePanel).map((id) => columns[id])}
                rows={rows}
                keyOf={({ fingerprint }) => fingerprint}
                sort={sort}
                onSort={(next) => narrow({ sort: formatSort(next) })}
                rowClass={({ fingerprint }) => (fingerprint === openedName ? 'bg-accent-soft' : '')}
              />
            )}
            {opened !== undefined && (
              <EntryPanel
                key={opened.fingerprint}
                cluster={cluster}
                entry={opened}
                all={all}
                projects={trust.projects}
                uses={trust.uses}
                rotation={trust.rotation}
                onRemove={() => setRemoving([opened])}
                onRotate={() => setRotating(true)}
                onClose={close}
              />
            )}
          </div>
        )}
      </ListPage>
      {trust !== undefined && (
        <div className="grid items-start gap-3.5 lg:grid-cols-2">
          <Boundary title="Pending tokens">
            <TokensCard cluster={cluster} trust={trust} />
          </Boundary>
          <Boundary title="Who can do what">
            <FindingsCard cluster={cluster} trust={trust} />
          </Boundary>
        </div>
      )}
      {trust !== undefined && adding && (
        <Suspense fallback={null}>
          <AddDialog cluster={cluster} trust={trust} onClose={() => setAdding(false)} />
        </Suspense>
      )}
      {rotating && (
        <Suspense fallback={null}>
          <RotateDialog cluster={cluster} onClose={() => setRotating(false)} />
        </Suspense>
      )}
      {removing !== null && (
        <Suspense fallback={null}>
          <RemoveDialog
            cluster={cluster}
            entries={removing}
            all={all}
            onClose={(removed) => {
              setRemoving(null)
              if (removed) setPicked(new Set())
            }}
          />
        </Suspense>
      )}
    </>
  )
}

const everyColumn = trustColumns({
  picked: new Set(),
  uses: null,
  onPick: () => undefined,
  onOpen: () => undefined,
  cannotRemove: () => undefined,
})
const offered = allColumns.filter((id) => !fixedColumns.includes(id)).map((id) => everyColumn[id])
