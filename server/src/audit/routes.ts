import { listAudit } from '@malleus/shared/api/audit.ts'
import { route } from '../http/route.ts'
import type { RequestContext, Route } from '../http/route.ts'
import type { AuditLog } from './audit-log.ts'
import type { HistoryVerification } from './verification.ts'

/** Whose records a person may see. */
export interface VisibleHistory {
  readonly clusters: readonly string[]
  /** Also records that belong to no cluster: sign-ins, refusals at the door, starts and stops. */
  readonly withoutCluster: boolean
}

export interface AuditRouteParts {
  readonly log: Pick<AuditLog, 'latest'>
  readonly verification: Pick<HistoryVerification, 'report'>
  /** Policy's answer, for the cluster that is asked for or for all. */
  readonly visibleTo: (principal: RequestContext['principal']) => VisibleHistory
}

export function auditRoutes({ log, verification, visibleTo }: AuditRouteParts): readonly Route[] {
  return [
    route({
      endpoint: listAudit,
      action: 'audit.read',
      class: 'read',
      handler: async ({ principal }, { query }) => {
        const visible = visibleTo(principal)
        const asked = query.cluster
        const records = await log.latest({
          clusters: asked === undefined ? visible.clusters : visible.clusters.filter((name) => name === asked),
          // Sign-ins belong to no cluster, and to the story of each.
          withoutCluster: visible.withoutCluster,
          reads: query.reads === 'true',
          limit: query.limit,
          ...(query.member === undefined ? {} : { object: query.member }),
        })
        return { records: [...records], verification: verification.report }
      },
    }),
  ]
}
