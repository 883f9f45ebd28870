import type { ClusterFigures, ClusterSummary } from '@malleus/shared/api/clusters.ts'
import type { Member } from '@malleus/shared/api/members.ts'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useClusterName } from '../../components/current.ts'
import { serverNow } from '../../lib/clock.ts'
import { cx } from '../../lib/class-names.ts'
import { inkOf } from '../../ui/StateMark.tsx'
import { figuresOf, type Figure } from './figures.ts'

/** What was measured, in a few numbers; each leads to what it is made of. */
export function Figures(props: {
  cluster: ClusterSummary | undefined
  members: readonly Member[]
  figures: ClusterFigures | undefined
  /** Whether the person may see what the figures are made of. */
  may: boolean
}) {
  const all = figuresOf(props.cluster, props.members, props.figures, serverNow())
  const figures = props.may ? all : all.filter(({ value }) => value !== null).map(withoutEvidence)
  return (
    <dl className="grid grid-cols-2 gap-3 min-[980px]:grid-cols-4">
      {figures.map((figure) => (
        <Evidence key={figure.title} figure={figure}>
          <dt className="text-12 text-ink-2">{figure.title}</dt>
          <dd className="mt-0.5 flex flex-wrap items-baseline gap-x-2">
            <span
              className={cx(
                'tabular-nums tracking-[-0.01em]',
                figure.value === null ? 'text-18 text-ink-3' : 'text-22 font-strong',
                figure.tone && inkOf[figure.tone],
              )}
            >
              {figure.value ?? 'measuring'}
            </span>
            <span className="text-12 text-ink-3">{figure.note}</span>
          </dd>
        </Evidence>
      ))}
    </dl>
  )
}

function withoutEvidence({ title, value, note, tone }: Figure): Figure {
  return { title, value, note, tone }
}

function Evidence({ figure, children }: { figure: Figure; children: ReactNode }) {
  const cluster = useClusterName()
  const box = 'block min-w-0 rounded-[10px] border border-line bg-surface px-3.5 py-3'
  if (figure.evidence === undefined) return <div className={box}>{children}</div>
  return (
    <div className="relative min-w-0 rounded-[10px] border border-line bg-surface px-3.5 py-3 hover:border-line-strong">
      {children}
      <dd className="absolute inset-0">
        <Link
          to={figure.evidence === 'members' ? '/clusters/$cluster/members' : '/clusters/$cluster/certificates'}
          params={{ cluster }}
          aria-label={`${figure.title}: see more`}
          className="absolute inset-0 rounded-[10px]"
        />
      </dd>
    </div>
  )
}
