import { z } from 'zod'

/**
 * Every way a request can fail, for programs. Codes stay for ever; the sentences beside them may improve.
 * `title` of a problem is the sentence for people: what happened, to what, what now.
 */
export const problemCodes = [
  // the request itself
  'bad_request',
  'bad_path',
  'bad_query',
  'bad_body',
  'not_found',
  'method_not_allowed',
  'unsupported_media_type',
  'uri_too_long',
  'headers_too_large',
  'body_too_large',
  'length_required',
  'cross_site',
  'too_many_requests',
  'precondition_required',
  'precondition_failed',
  'secret_changed',
  'idempotency_key_required',
  'idempotency_key_reused',
  'already_running',
  'already_done',
  // who asks, and whether they may
  'not_signed_in',
  'session_expired',
  'session_renewed',
  'other_person',
  'forbidden',
  'step_up_required',
  'sign_in_failed',
  'provider_unavailable',
  'no_role',
  // the cluster
  'cluster_refused',
  'cluster_failed',
  'cluster_rejected_token',
  'member_unavailable',
  'no_responsive_member',
  'sign_in_not_checked',
  'database_unavailable',
  'deadline_exceeded',
  'outcome_unknown',
  'member_busy',
  'not_possible',
  'url_not_allowed',
  'bad_upstream_reply',
  // the console
  'audit_unavailable',
  'storage_unavailable',
  'draining',
  'internal',
] as const

export const ProblemCode = z.enum(problemCodes)
export type ProblemCode = z.infer<typeof ProblemCode>

/** The body of every failed request: RFC 9457, with a closed code and the id under which it is recorded. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string().optional(),
  code: ProblemCode,
  requestId: z.string(),
  /** Only for a write that was sent and not answered: nobody knows yet whether it was done. */
  outcome: z.literal('unknown').optional(),
})
export type Problem = z.infer<typeof Problem>
