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
  }),
  /** What the person may do in each cluster they may see. */
  permissions: z.record(z.string(), z.array(Action)),
  /** When it locks without input, and when it ends in any case. */
  idleExpiresAt: Instant,
  expiresAt: Instant,
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
