import { getSession, reportActivity } from '@malleus/shared/api/session.ts'
import type { Action } from '@malleus/shared/domain/action.ts'
import { route } from '../http/route.ts'
import type { RequestContext, Route } from '../http/route.ts'
import { personTag } from '../lib/person-tag.ts'
import type { Principal } from './principal.ts'
import type { Sessions } from './sessions.ts'

export interface SessionRouteParts {
  readonly sessions: Pick<Sessions, 'sessionOf'>
  /** What the person may do in each cluster they may see. */
  readonly permissionsOf: (principal: Principal) => Readonly<Record<string, readonly Action[]>>
  /** Where the person's live stream stands now; null where there is none to follow. */
  readonly livePosition: (context: RequestContext) => string | null
}

export function sessionRoutes({ sessions, permissionsOf, livePosition }: SessionRouteParts): readonly Route[] {
  return [
    route({
      endpoint: getSession,
      action: 'session.read',
      class: 'read',
      handler: (context) => {
        const { principal } = context
        const { name, email, iss, sub, roles } = principal
        const { idleExpiresAt, expiresAt } = sessions.sessionOf(principal)
        const permissions: Record<string, Action[]> = {}
        for (const [cluster, actions] of Object.entries(permissionsOf(principal))) permissions[cluster] = [...actions]
        return Promise.resolve({
          principal: { name, email, issuer: iss, subject: sub, roles: [...roles], tag: personTag(context.principal) },
          permissions,
          idleExpiresAt,
          expiresAt,
          live: livePosition(context),
        })
      },
    }),
    route({
      endpoint: reportActivity,
      action: 'session.activity',
      class: 'read',
      handler: (context) => context.touch(),
    }),
  ]
}
