import { listAlerts, testAlertSink } from '@malleus/shared/api/alerts.ts'
import type { RequestContext, Route } from '../http/route.ts'
import { route } from '../http/route.ts'
import type { CertificateAlerts } from './certificate-alerts.ts'

export interface AlertRouteParts {
  readonly alerts: Pick<CertificateAlerts, 'alerts' | 'watched' | 'sinks' | 'test'>
  /** Whether the person may see the certificates of a cluster; null for what belongs to none. */
  readonly sees: (context: RequestContext, cluster: string | null) => boolean
  readonly mayTest: (context: RequestContext) => boolean
}

export function alertRoutes({ alerts, sees, mayTest }: AlertRouteParts): Route[] {
  return [
    route({
      endpoint: listAlerts,
      action: 'certificate.read',
      class: 'read',
      object: () => null,
      handler: (context) => {
        const seen = (cluster: string | null): boolean => sees(context, cluster)
        return Promise.resolve({
          alerts: alerts.alerts(seen),
          watched: alerts.watched(seen).length,
          sinks: mayTest(context) ? alerts.sinks() : null,
        })
      },
    }),
    route({
      endpoint: testAlertSink,
      action: 'alert.test',
      class: 'mutate',
      object: () => null,
      handler: (_context, { body }) => alerts.test(body.sink),
    }),
  ]
}
