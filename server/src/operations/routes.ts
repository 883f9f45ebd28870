import {
  cancelOperation as cancelEndpoint,
  getOperation,
  listKeptOperations,
  listOperations,
} from '@malleus/shared/api/operations.ts'
import type { RequestContext, Route } from '../http/route.ts'
import { route } from '../http/route.ts'
import type { CancelPorts } from './cancel.ts'
import { cancelOperation } from './cancel.ts'
import type { Operations } from './operations.ts'

/** The parts of one cluster that its routes need; the operations are the person's own view. */
export interface OperationRooms extends CancelPorts {
  readonly operations: Operations
}

export function operationRoutes(of: (context: RequestContext, cluster: string) => Promise<OperationRooms>): Route[] {
  return [
    route({
      endpoint: listOperations,
      action: 'operation.list',
      class: 'list',
      handler: async (context, { params }) => {
        const { operations } = await of(context, params.cluster)
        const { answer, ...list } = await operations.list()
        if (answer !== null) context.answeredBy(answer)
        return list
      },
    }),
    route({
      endpoint: listKeptOperations,
      action: 'operation.list',
      class: 'list',
      packed: true,
      handler: async (context, { params, query }) => (await of(context, params.cluster)).operations.kept(query.since),
    }),
    route({
      endpoint: getOperation,
      action: 'operation.read',
      class: 'read',
      handler: async (context, { params }) => (await of(context, params.cluster)).operations.get(params.operation),
    }),
    route({
      endpoint: cancelEndpoint,
      action: 'operation.cancel',
      class: 'mutate',
      status: 202,
      project: ({ project }) => project,
      handler: async (context, { params, body }) => {
        const rooms = await of(context, params.cluster)
        const by = { scope: await context.scope(params.cluster), target: context.target }
        const { answer, operation } = await cancelOperation(rooms, by, params.operation, body.project, context.signal)
        context.answeredBy(answer)
        return { operation }
      },
    }),
  ]
}
