import { listEvents } from '@malleus/shared/api/events.ts'
import type { RequestContext, Route } from '../http/route.ts'
import { route } from '../http/route.ts'
import type { EventTail } from './event-tail.ts'

/** What a person may see of what happens in a cluster. */
export interface EventView {
  readonly events: Pick<EventTail, 'list'>
  /** Whether they may know who did what. */
  readonly seesWho: boolean
}

export function eventRoutes(of: (context: RequestContext, cluster: string) => Promise<EventView>): Route[] {
  return [
    route({
      endpoint: listEvents,
      action: 'event.list',
      class: 'list',
      packed: true,
      handler: async (context, { params, query }) => {
        const { events, seesWho } = await of(context, params.cluster)
        return events.list(query.after, seesWho)
      },
    }),
  ]
}
