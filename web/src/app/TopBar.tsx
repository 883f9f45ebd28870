import { Link, useParams, useRouterState } from '@tanstack/react-router'
import { Menu as MenuIcon, Search } from 'lucide-react'
import { Button } from '../ui/Button.tsx'
import { Kbd } from '../ui/Kbd.tsx'
import { lazy, Suspense } from 'react'
import { PersonButton } from './PersonButton.tsx'
import { sectionOf } from './section.ts'
import { useMay } from '../components/current.ts'
import { TargetPicker } from '../components/TargetPicker.tsx'

// It tells of days; the first list does not wait for it.
const AlertButton = lazy(() => import('./AlertButton.tsx').then((m) => ({ default: m.AlertButton })))

const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent)

export function TopBar({ onNavigation, onSearch }: { onNavigation: () => void; onSearch: () => void }) {
  const { may } = useMay('member.list')
  const { may: mayReadCertificates } = useMay('certificate.read')
  return (
    <header className="sticky top-0 z-20 flex h-13 items-center gap-2 border-b border-line bg-surface px-3 sm:px-5">
      <Button tone="quiet" size="icon" label="Navigation" opens="dialog" className="md:hidden" onPress={onNavigation}>
        <MenuIcon size={18} />
      </Button>
      <Breadcrumb />
      <div className="ml-auto flex min-w-0 items-center gap-2">
        {may && <TargetPicker />}
        <button
          type="button"
          aria-haspopup="dialog"
          aria-keyshortcuts={isMac ? 'Meta+K' : 'Control+K'}
          onClick={onSearch}
          className="flex h-8 shrink-0 cursor-default items-center gap-2 rounded-[7px] border border-line-strong bg-raised px-2.5 text-ink-3 hover:bg-hover lg:w-48"
        >
          <Search size={14} aria-hidden="true" />
          <span className="whitespace-nowrap max-lg:sr-only">Search or run…</span>
          <span className="ml-auto hidden whitespace-nowrap lg:inline">
            <Kbd>{isMac ? '⌘K' : 'Ctrl K'}</Kbd>
          </span>
        </button>
        {mayReadCertificates && (
          <Suspense fallback={<span className="size-7 shrink-0" />}>
            <AlertButton />
          </Suspense>
        )}
        <PersonButton />
      </div>
    </header>
  )
}

function Breadcrumb() {
  const { cluster = '', member, operation, incident } = useParams({ strict: false })
  // The page below a list, and the list. An id says as much in its beginning.
  const leaf =
    member !== undefined
      ? ({ text: member, list: '/clusters/$cluster/members' } as const)
      : operation !== undefined
        ? ({ text: operation.slice(0, 8), list: '/clusters/$cluster/operations' } as const)
        : incident !== undefined
          ? ({ text: incident.slice(0, 8), list: '/clusters/$cluster/incidents' } as const)
          : undefined
  const path = useRouterState({ select: (state) => state.location.pathname })
  const section = sectionOf(path)
  const link = 'truncate rounded-sm text-ink-2 hover:text-ink hover:underline'
  return (
    <nav aria-label="Breadcrumb" className="min-w-0">
      <ol className="flex min-w-0 items-center gap-1.5 font-strong">
        <li className="hidden min-w-0 truncate sm:block">
          <Link to="/clusters/$cluster" params={{ cluster }} className={link}>
            {cluster}
          </Link>
        </li>
        <li aria-hidden="true" className="hidden text-ink-3 sm:block">
          /
        </li>
        {leaf === undefined ? (
          <li aria-current="page" className="truncate">
            {section}
          </li>
        ) : (
          <>
            <li className="hidden sm:block">
              <Link to={leaf.list} params={{ cluster }} className={link}>
                {section}
              </Link>
            </li>
            <li aria-hidden="true" className="hidden text-ink-3 sm:block">
              /
            </li>
            <li aria-current="page" className="truncate">
              {leaf.text}
            </li>
          </>
        )}
      </ol>
    </nav>
  )
}
