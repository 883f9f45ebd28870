import { z } from 'zod'
import { endpoint } from './endpoint.ts'
import { Instant } from './freshness.ts'

/** A signed-in browser. */
export const SessionRow = z.object({
  /** As the access history marks what was done in it; it opens nothing. */
  id: z.string(),
  /** Whose it is; null where nothing is known of it but that it is there. */
  name: z.string().nullable(),
  email: z.string().nullable(),
  /** "Chrome on Linux", as the browser says of itself. */
  device: z.string().nullable(),
  /** From where it was begun. */
  address: z.string().nullable(),
  since: Instant,
  /** When the person was last active in it. */
  usedAt: Instant,
  expiresAt: Instant,
  /** The one that asks. */
  current: z.boolean(),
})
export type SessionRow = z.infer<typeof SessionRow>

export const listMySessions = endpoint({
  method: 'GET',
  path: '/sessions/mine',
  summary: 'The browsers in which you are signed in.',
  reply: z.object({ sessions: z.array(SessionRow) }),
})

export const endMySession = endpoint({
  method: 'POST',
  path: '/sessions/mine/end',
  summary: 'Signs you out in one of your browsers.',
  body: z.strictObject({ id: z.string().max(64) }),
  reply: z.object({}),
})

export const listSessions = endpoint({
  method: 'GET',
  path: '/sessions',
  summary: 'Every signed-in browser, of everybody.',
  reply: z.object({ sessions: z.array(SessionRow) }),
})

export const endSession = endpoint({
  method: 'POST',
  path: '/sessions/end',
  summary: 'Ends a session of anybody; its open streams end within five seconds.',
  body: z.strictObject({ id: z.string().max(64) }),
  reply: z.object({}),
})
