import type { ProblemCode } from '@malleus/shared/api/problem.ts'

/**
 * Every code with its status and its sentence for people, where the error has none of its own. The only place that
 * knows status codes.
 */
export const problems: Readonly<Record<ProblemCode, { readonly status: number; readonly title: string }>> = {
  bad_request: { status: 400, title: 'The request is not well formed.' },
  bad_path: { status: 400, title: 'The address of the request is not well formed.' },
  bad_query: { status: 400, title: 'The request asks in a way that is not understood.' },
  bad_body: { status: 400, title: 'What was sent is not what this request takes.' },
  not_found: { status: 404, title: 'There is nothing at this address.' },
  method_not_allowed: { status: 405, title: 'This cannot be done with what is at this address.' },
  unsupported_media_type: { status: 415, title: 'Only JSON is taken here.' },
  uri_too_long: { status: 414, title: 'The address of the request is too long.' },
  headers_too_large: { status: 431, title: 'The headers of the request are too large.' },
  body_too_large: { status: 413, title: 'What was sent is too large.' },
  length_required: { status: 411, title: 'The length of what is sent has to be announced.' },
  cross_site: { status: 403, title: 'The request did not come from a page of this console.' },
  too_many_requests: { status: 429, title: 'Too many requests; wait a moment.' },
  precondition_required: { status: 428, title: 'The request has to name the version it changes.' },
  precondition_failed: { status: 412, title: 'It was changed by someone else in the meantime.' },
  secret_changed: { status: 409, title: 'A secret was changed by someone else in the meantime.' },
  idempotency_key_required: { status: 400, title: 'A change needs an Idempotency-Key.' },
  idempotency_key_reused: { status: 422, title: 'This Idempotency-Key was used for another change.' },
  already_running: { status: 409, title: 'This change is being made now.' },
  already_done: { status: 409, title: 'This change was made already.' },
  not_signed_in: { status: 401, title: 'You are not signed in.' },
  other_person: { status: 401, title: 'Somebody else has signed in in this browser.' },
  session_expired: { status: 401, title: 'Your session has ended; sign in again.' },
  session_renewed: { status: 401, title: 'You signed in again meanwhile; ask once more.' },
  forbidden: { status: 403, title: 'Your role does not allow this.' },
  step_up_required: { status: 403, title: 'Prove again who you are to do this.' },
  sign_in_failed: { status: 403, title: 'Signing in did not succeed.' },
  provider_unavailable: { status: 503, title: 'The identity provider does not answer; try again shortly.' },
  no_role: { status: 403, title: 'You have no role in this console; ask an administrator for one.' },
  cluster_refused: { status: 409, title: 'The cluster refused this.' },
  cluster_failed: { status: 502, title: 'The cluster could not do this.' },
  cluster_rejected_token: { status: 502, title: 'The cluster did not accept your sign-in.' },
  member_unavailable: { status: 503, title: 'The server does not answer.' },
  no_responsive_member: { status: 502, title: 'No server of the cluster answers.' },
  sign_in_not_checked: { status: 502, title: 'No server of the cluster can check who is signed in.' },
  database_unavailable: { status: 503, title: 'The cluster database does not answer, so nothing can be changed now.' },
  deadline_exceeded: { status: 504, title: 'It took too long.' },
  outcome_unknown: {
    status: 504,
    title: 'The change was sent and not answered; whether it was made is not known yet.',
  },
  member_busy: { status: 503, title: 'The server has too much to do; try again shortly.' },
  not_possible: { status: 409, title: 'This is not possible now.' },
  url_not_allowed: { status: 422, title: 'This address is not allowed.' },
  bad_upstream_reply: { status: 502, title: 'A server answered in a way that is not understood.' },
  audit_unavailable: { status: 503, title: 'The access history cannot be written, so nothing is done.' },
  storage_unavailable: { status: 503, title: 'The storage of the console does not answer.' },
  draining: { status: 503, title: 'This console is stopping; try again.' },
  internal: { status: 500, title: 'Something went wrong in the console.' },
}

/** A request that is turned away at the door. `detail` is for people; `cause` only for the log. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: ProblemCode
  readonly detail: string | undefined
  readonly headers: Readonly<Record<string, string>>
  /** What follows on the connection cannot be trusted to be a request: it is closed. */
  readonly closes: boolean

  constructor(
    code: ProblemCode,
    detail?: string,
    options: { readonly headers?: Record<string, string>; readonly closes?: boolean; readonly cause?: unknown } = {},
  ) {
    super(detail ?? problems[code].title, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.detail = detail
    this.headers = options.headers ?? {}
    this.closes = options.closes ?? false
  }
}
