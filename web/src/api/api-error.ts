import { Problem, type ProblemCode } from '@malleus/shared/api/problem.ts'

/**
 * The one way a call to the console fails in the browser, whatever went wrong: a problem that the console described, a
 * reply that was not understood, or no reply at all.
 */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: ProblemCode | 'offline' | 'bad_reply'
  /** HTTP status; 0 when nothing came back. */
  readonly status: number
  /** The sentence for people is `message`; this is what the cluster or the console added to it. */
  readonly detail: string | undefined
  readonly requestId: string | undefined
  /** A change was sent and nobody knows yet whether it was done. */
  readonly outcomeUnknown: boolean

  constructor(
    message: string,
    facts: {
      code: ApiError['code']
      status: number
      detail?: string | undefined
      requestId?: string | undefined
      outcomeUnknown?: boolean
      cause?: unknown
    },
  ) {
    super(message, { cause: facts.cause })
    this.code = facts.code
    this.status = facts.status
    this.detail = facts.detail
    this.requestId = facts.requestId
    this.outcomeUnknown = facts.outcomeUnknown ?? false
  }

  get signedOut(): boolean {
    return this.status === 401
  }
}

/** What went wrong, from any failed response; always yields something a person can read. */
export function errorFromResponse(status: number, body: unknown, requestId: string | undefined): ApiError {
  const problem = Problem.safeParse(body)
  if (problem.success) {
    const { title, code, detail, outcome } = problem.data
    return new ApiError(title, {
      code,
      status,
      detail,
      requestId: problem.data.requestId,
      outcomeUnknown: outcome === 'unknown',
    })
  }
  return new ApiError(`The console answered with status ${status} and no explanation.`, {
    code: status === 401 ? 'not_signed_in' : status === 404 ? 'not_found' : 'bad_reply',
    status,
    requestId,
    cause: problem.error,
  })
}

/** No reply came: for a change, that means nobody knows whether it arrived. */
export function errorFromNetwork(cause: unknown, changes: boolean): ApiError {
  return new ApiError(
    changes
      ? 'The console did not answer, so it is not known whether this was done.'
      : 'The console does not answer. This page tries again by itself.',
    { code: changes ? 'outcome_unknown' : 'offline', status: 0, outcomeUnknown: changes, cause },
  )
}
