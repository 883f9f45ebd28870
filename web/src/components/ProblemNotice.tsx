import type { ReactNode } from 'react'
import { ApiError } from '../api/api-error.ts'
import { Notice } from '../ui/Notice.tsx'

/** The one place of a page where a failed reading is told; what was read before stays. */
export function ProblemNotice({ error, actions }: { error: Error; actions?: ReactNode }) {
  return (
    <Notice tone="bad" headline={error.message} alert actions={actions}>
      <ProblemDetail error={error} />
    </Notice>
  )
}

/** What the cluster added, and the id to look it up by. */
export function ProblemDetail({ error }: { error: Error }) {
  if (!(error instanceof ApiError)) return null
  return (
    <>
      {error.detail}{' '}
      {error.requestId !== undefined && <span className="font-mono text-11">request {error.requestId}</span>}
    </>
  )
}
