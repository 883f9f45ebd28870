import { changeAcme, checkAcme, getAcme, renewAcme } from '@malleus/shared/api/acme.ts'
import type { RequestContext, Route } from '../http/route.ts'
import { route } from '../http/route.ts'
import type { Acme, Asker } from './acme.ts'

export interface AcmeRooms {
  readonly acme: Acme
  /** What the history has of a request, for when what it began has ended. */
  begun(context: RequestContext, what: 'configure' | 'renew', object: string): unknown
}

/** `of` finds a cluster by name; the door has checked that the person may see it. */
export function acmeRoutes(of: (cluster: string) => AcmeRooms): Route[] {
  return [
    route({
      endpoint: getAcme,
      action: 'acme.read',
      class: 'read',
      object: ({ cluster }) => cluster,
      handler: async (context, { params }) => {
        const { view, via } = await of(params.cluster).acme.view(await context.scope(params.cluster))
        if (via !== null) context.answeredBy({ via, attempts: 1, hedged: false })
        return view
      },
    }),
    route({
      endpoint: checkAcme,
      action: 'acme.check',
      // What a person types becomes an address that the console contacts: only of those who may order anyhow.
      stepUp: true,
      class: 'mutate',
      object: (_params, { settings }) => settings.domains.join(', '),
      handler: async (context, { params, body }) => {
        const checks = await of(params.cluster).acme.check(await context.scope(params.cluster), body.settings)
        return { checks: [...checks] }
      },
    }),
    route({
      endpoint: changeAcme,
      action: 'acme.configure',
      stepUp: true,
      class: 'mutate',
      status: 202,
      object: ({ cluster }, { settings }) => settings?.domains.join(', ') ?? cluster,
      handler: async (context, { params, body }) => {
        const rooms = of(params.cluster)
        const object = body.settings?.domains.join(', ') ?? params.cluster
        const by = await asker(rooms, context, params.cluster, 'configure', object)
        return { order: await rooms.acme.configure(by, body.settings, body.shown) }
      },
    }),
    route({
      endpoint: renewAcme,
      action: 'acme.renew',
      stepUp: true,
      class: 'mutate',
      status: 202,
      object: ({ cluster }) => cluster,
      handler: async (context, { params }) => {
        const rooms = of(params.cluster)
        return { order: await rooms.acme.renew(await asker(rooms, context, params.cluster, 'renew', params.cluster)) }
      },
    }),
  ]
}

async function asker(
  rooms: AcmeRooms,
  context: RequestContext,
  cluster: string,
  what: 'configure' | 'renew',
  object: string,
): Promise<Asker> {
  return {
    scope: await context.scope(cluster),
    name: context.principal.name,
    begun: rooms.begun(context, what, object),
  }
}
