import { getIncident, listIncidents } from '@malleus/shared/api/incidents.ts'
import type { Route } from '../http/route.ts'
import { route } from '../http/route.ts'
import { instant } from '../lib/clock.ts'
import type { Incidents } from './incidents.ts'
import { NoSuchIncident } from './no-such-incident.ts'

/** `of` finds a cluster by name; the door has checked that the person may see it. */
export function incidentRoutes(of: (cluster: string) => Pick<Incidents, 'list' | 'get'>): Route[] {
  return [
    route({
      endpoint: listIncidents,
      action: 'incident.list',
      class: 'read',
      object: () => null,
      handler: async (_context, { params, query }) => {
        const { member = null, doubts, before, limit } = query
        const filter = {
          member,
          doubts: doubts === 'true',
          before: before === undefined ? null : Date.parse(before),
        }
        const { since, ...page } = await of(params.cluster).list(filter, limit)
        return { ...page, since: instant(since) }
      },
    }),
    route({
      endpoint: getIncident,
      action: 'incident.list',
      class: 'read',
      handler: async (_context, { params }) => {
        const incident = await of(params.cluster).get(params.incident)
        if (incident === null) throw new NoSuchIncident()
        return { incident }
      },
    }),
  ]
}
