import { listInstances } from '@malleus/shared/api/instances.ts'
import type { RequestContext, Route } from '../http/route.ts'
import { route } from '../http/route.ts'
import type { Instances } from './instances.ts'

/** `of` gives the person's own view of a cluster's instances. */
export function instanceRoutes(of: (context: RequestContext, cluster: string) => Promise<Instances>): Route[] {
  return [
    route({
      endpoint: listInstances,
      action: 'instance.list',
      class: 'list',
      packed: true,
      handler: async (context, { params, query }) => {
        const instances = await of(context, params.cluster)
        const { answer, ...list } = await instances.list(query.since)
        if (answer !== null) context.answeredBy(answer)
        return list
      },
    }),
  ]
}
