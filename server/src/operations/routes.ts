import { listOperations } from '@malleus/shared/api/operations.ts'
import type { RequestContext, Route } from '../http/route.ts'
import { route } from '../http/route.ts'
import type { Operations } from './operations.ts'

/** `of` gives the person's own view of a cluster's background work. */
export function operationRoutes(of: (context: RequestContext, cluster: string) => Promise<Operations>): Route[] {
  return [
    route({
      endpoint: listOperations,
      action: 'operation.list',
      class: 'list',
      handler: async (context, { params }) => (await of(context, params.cluster)).list(),
    }),
  ]
}
