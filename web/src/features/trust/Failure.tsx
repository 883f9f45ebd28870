import { ApiError } from '../../api/api-error.ts'
import { ProblemDetail } from '../../components/ProblemNotice.tsx'
import { Notice } from '../../ui/Notice.tsx'

/** Why something was not done, or that nobody knows whether it was. */
export function Failure({ error, what }: { error: Error; what: string }) {
  if (error instanceof ApiError && error.outcomeUnknown) {
    return (
      <Notice tone="warning" shape="question" alert headline="Nobody knows yet whether it was done.">
        It was sent, and no answer came back. It is not sent again. The console looks for what became of it, and this
        page shows it. <ProblemDetail error={error} />
      </Notice>
    )
  }
  return (
    <Notice tone="bad" shape="cross" alert headline={`Could not ${what}.`}>
      {error.message} <ProblemDetail error={error} />
    </Notice>
  )
}
