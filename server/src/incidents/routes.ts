import { getIncident, listIncidents } from '@malleus/shared/api/incidents.ts'
import type { Route } from '../http/route.ts'
import { route } from '../http/route.ts'
import { instant } from '../lib/clock.ts'
import type { Incidents } from './incidents.ts'
import { NoSuchIncident } from './no-such-incident.ts'

/** `of` finds a cluster by name; the door has checked that the person may see it. */
export function incidentRoutes(of: (cluster: string) => Pick<Incidents, 'list' | 'open' | 'since' | 'get'>): Route[] {
  return [
    route({
      endpoint: listIncidents,
      action: 'incident.list',
      class: 'read',
      object: () => null,
      handler: async (_context, { params, query }) => {
        const { member = null, state, doubts, before, limit } = query
        const incidents = of(params.cluster)
        const since = instant(incidents.since)
        if (state === 'open') return { incidents: incidents.open(member), more: false, doubtsHidden: 0, since }
        const filter = {
          member,
          doubts: doubts === 'true',
          before: before === undefined ? null : Date.parse(before),
        }
        return { ...(await incidents.list(filter, limit)), since }
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
