import { z } from 'zod'
import { Action } from '../domain/action.ts'
import { Role } from '../domain/role.ts'
import { endpoint } from './endpoint.ts'
import { Instant } from './freshness.ts'

export const SessionView = z.object({
  principal: z.object({
    name: z.string(),
    email: z.string().nullable(),
    issuer: z.string(),
    subject: z.string(),
    roles: z.array(Role),
    /** Stands for the person: a page sends it as `X-Malleus-Person`, and is answered 401 when the cookie is another's. */
    tag: z.string(),
  }),
  /** What the person may do in each cluster they may see. */
  permissions: z.record(z.string(), z.array(Action)),
  /** When it locks without input, and when it ends in any case. */
  idleExpiresAt: Instant,
  expiresAt: Instant,
  /**
   * Where the live stream stands. Begun with this as `Last-Event-ID` it tells all that happened since this answer, so
   * that what is read after it need not be read again. Null where there is none.
   */
  live: z.string().nullable(),
})
export type SessionView = z.infer<typeof SessionView>

export const getSession = endpoint({
  method: 'GET',
  path: '/session',
  summary: 'Who is signed in here, and what they may do; 401 when nobody is.',
  reply: SessionView,
})

/** Tells that the person used the keyboard or mouse; only this and changes keep a session from locking. */
export const reportActivity = endpoint({
  method: 'POST',
  path: '/session/activity',
  summary: 'Keeps the session from locking because the person is there.',
  body: z.strictObject({}),
  reply: z.object({ idleExpiresAt: Instant, expiresAt: Instant }),
})

/** The body of `POST /auth/logout`: where the page goes next, the provider's own sign-out if it has one. */
export const SignedOut = z.object({ continueTo: z.string() })
export type SignedOut = z.infer<typeof SignedOut>

/**
 * Why signing in did not succeed, or why the page is asked for: `/sign-in?problem=<code>&returnTo=<path>`. The list is
 * closed; each has a sentence on the sign-in page.
 *
 * - `provider_unavailable`: the identity provider does not answer.
 * - `provider_unusable`: it answers, and cannot be used as it is set up: another issuer, or no PKCE. An administrator
 *   finds the sentence in the log.
 * - `sign_in_refused`: it did not let the person in, or the person did not want to.
 * - `sign_in_failed`: what came back could not be believed.
 * - `sign_in_expired`: it took longer than ten minutes, was done twice, or began in another browser.
 * - `token_unusable`: the access token is not one that the servers of the clusters can check.
 * - `no_role`: the person is known, and may do nothing here.
 * - `session_expired`: the session has ended.
 * - `audit_unavailable`, `storage_unavailable`: nothing can be recorded or kept, so nobody can sign in.
 */
export const signInProblems = [
  'provider_unavailable',
  'provider_unusable',
  'sign_in_refused',
  'sign_in_failed',
  'sign_in_expired',
  'token_unusable',
  'no_role',
  'session_expired',
  'audit_unavailable',
  'storage_unavailable',
] as const
export const SignInProblem = z.enum(signInProblems)
export type SignInProblem = z.infer<typeof SignInProblem>

/**
 * Why a step-up did not succeed. It begins at `/auth/login?stepUp=<id>`, where the id is a UUID that the page made up, and
 * ends at `/proved?of=<id>`, with `&problem=<code>` when the session stays as it was:
 *
 * - one of those of signing in; `session_expired`: nobody is signed in here, so there is nobody to prove.
 * - `somebody_else`: another person signed in at the provider than the one whose session it is.
 * - `not_asked_again`: the provider let the person through without asking.
 * - `no_auth_time`: it does not say when it asked, so that nothing is proved.
 */
export const StepUpProblem = z.enum([...signInProblems, 'somebody_else', 'not_asked_again', 'no_auth_time'])
export type StepUpProblem = z.infer<typeof StepUpProblem>
