import { Link, useRouterState } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import { serverNow } from '../lib/clock.ts'
import { Notice } from '../ui/Notice.tsx'
import { useCluster } from './current.ts'
import { describeLoss, whatReadOnlyMeans } from './database-words.ts'

const DatabaseLoss = lazy(() => import('./DatabaseLoss.tsx').then((m) => ({ default: m.DatabaseLoss })))

/** While the cluster database does not answer: everything about it on the overview, a sentence on the other pages. */
export function DatabaseNotice() {
  const cluster = useCluster()
  const isOverview = useRouterState({
    select: ({ location }) => /^\/clusters\/[^/]+\/?$/.test(location.pathname),
  })
  if (cluster?.database.kind !== 'lost') return null
  const { database, name } = cluster
  const { tone, headline } = describeLoss(database, serverNow())
  const notice = (
    <Notice
      tone={tone}
      headline={`${headline}.`}
      alert
      actions={
        isOverview ? undefined : (
          <Link
            to="/clusters/$cluster"
            params={{ cluster: name }}
            className="inline-flex h-8 items-center rounded-[7px] border border-line-strong bg-raised px-3 font-strong text-ink hover:bg-hover"
          >
            What to do
          </Link>
        )
      }
    >
      {whatReadOnlyMeans}
    </Notice>
  )
  if (!isOverview) return notice
  return (
    <Suspense fallback={notice}>
      <DatabaseLoss database={database} />
    </Suspense>
  )
}
