import type { ClusterSummary } from '@malleus/shared/api/clusters.ts'
import { ChevronsUpDown } from 'lucide-react'
import { lazy, Suspense, useRef, useState } from 'react'
import { serverNow } from '../lib/clock.ts'
import { describeSummary } from './cluster-summary.ts'
import { StateMark } from '../ui/StateMark.tsx'

const ClusterMenu = lazy(() => import('./ClusterMenu.tsx').then((m) => ({ default: m.ClusterMenu })))

/** Which cluster this is and how it is; with others, the way to them. */
export function ClusterSwitcher({ clusters, current }: { clusters: readonly ClusterSummary[]; current: string }) {
  const [open, setOpen] = useState(false)
  const trigger = useRef<HTMLButtonElement>(null)
  const cluster = clusters.find(({ name }) => name === current)
  if (cluster === undefined) return <div className="mt-2.5 h-[58px] rounded-[10px] border border-line" />
  return (
    <>
      <button
        ref={trigger}
        type="button"
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => setOpen(true)}
        className="mt-2.5 flex w-full cursor-default items-center gap-2 rounded-[10px] border border-line bg-surface px-2.5 py-2 text-left hover:border-line-strong"
      >
        <ClusterLine cluster={cluster} />
        <span className="sr-only">, choose a cluster</span>
        <ChevronsUpDown size={14} aria-hidden="true" className="ml-auto shrink-0 text-ink-3" />
      </button>
      {open && (
        <Suspense fallback={null}>
          <ClusterMenu trigger={trigger} clusters={clusters} current={current} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  )
}

export function ClusterLine({ cluster }: { cluster: ClusterSummary }) {
  const { tone, shape, word, facts } = describeSummary(cluster, serverNow())
  return (
    <span className="min-w-0">
      <span className="flex items-center gap-1.5">
        <StateMark tone={tone} shape={shape} />
        <span className="truncate font-strong text-ink">{cluster.name}</span>
        <span className="sr-only">, {word}</span>
      </span>
      <span className="block truncate text-11 text-ink-3" title={`${word}: ${facts}`}>
        {facts}
      </span>
    </span>
  )
}
