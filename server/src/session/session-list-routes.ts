import { endMySession, endSession, listMySessions, listSessions } from '@malleus/shared/api/sessions.ts'
import { route } from '../http/route.ts'
import type { Route } from '../http/route.ts'
import type { SessionList } from './session-list.ts'

/** Where people are signed in: everybody for themselves, administrators for all. */
export function sessionListRoutes({ list }: { readonly list: SessionList }): readonly Route[] {
  return [
    route({
      endpoint: listMySessions,
      action: 'session.read',
      class: 'read',
      handler: async ({ principal }) => ({ sessions: await list.mine(principal) }),
    }),
    route({
      endpoint: endMySession,
      action: 'session.sign-out',
      class: 'read',
      object: (_params, { id }) => id,
      handler: async ({ principal }, { body: { id } }) => {
        await list.endMine(principal, id)
        return {}
      },
    }),
    route({
      endpoint: listSessions,
      action: 'session.list',
      class: 'read',
      handler: async ({ principal }) => ({ sessions: await list.all(principal) }),
    }),
    route({
      endpoint: endSession,
      action: 'session.end',
      class: 'mutate',
      stepUp: true,
      object: (_params, { id }) => id,
      handler: async (_context, { body: { id } }) => {
        await list.endAny(id)
        return {}
      },
    }),
  ]
}
