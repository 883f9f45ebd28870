import type { Operation } from '@malleus/shared/api/operations.ts'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { operationListQuery } from '../api/operations.ts'
import { useClusterName } from '../components/current.ts'
import { OperationProgress } from '../components/OperationProgress.tsx'
import { shownOperations } from '../components/operation-words.ts'
import { useTicking } from '../lib/clock.ts'
import { Button } from '../ui/Button.tsx'

const none: readonly Operation[] = []

/** Long work that outlives its page: what runs in the cluster, whoever started it, and how it ended. */
export function ActivityStrip() {
  const cluster = useClusterName()
  const operations = useQuery(operationListQuery(cluster)).data?.operations ?? none
  const [all, setAll] = useState(false)
  // Counted by the clock, so that what has ended leaves by itself.
  const ids = useTicking((now) =>
    shownOperations(operations, now)
      .map(({ id }) => id)
      .join(' '),
  )
  const shown = ids.split(' ').flatMap((id) => operations.filter((operation) => operation.id === id))
  if (shown.length === 0) return null
  const most = all ? 12 : 2
  return (
    <section
      aria-label="Activity"
      className="sticky bottom-0 z-10 max-h-[50vh] divide-y divide-line overflow-y-auto border-t border-line-strong bg-raised"
    >
      {shown.slice(0, most).map((operation) => (
        <div key={operation.id} className="px-3 py-2 sm:px-5">
          <OperationProgress brief operation={operation} linked />
        </div>
      ))}
      <div className="flex items-center gap-2 px-3 py-1 sm:px-5">
        {shown.length > 2 && (
          <Button tone="quiet" size="small" expanded={all} onPress={() => setAll(!all)}>
            {all ? 'Show fewer' : `${shown.length - 2} more`}
          </Button>
        )}
        <Link
          to="/clusters/$cluster/operations"
          params={{ cluster }}
          className="ml-auto rounded-sm text-12 text-accent-text hover:underline"
        >
          All operations
        </Link>
      </div>
    </section>
  )
}
