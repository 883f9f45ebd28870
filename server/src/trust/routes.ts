import {
  addTrustEntry,
  changeTrustSetting,
  createTrustToken,
  getTrust,
  getTrustEntry,
  removeTrustEntry,
  rotateIdentity,
  updateTrustEntry,
  withdrawTrustToken,
} from '@malleus/shared/api/trust.ts'
import type { RequestContext, Route } from '../http/route.ts'
import { route } from '../http/route.ts'
import { addEntry, readCertificate, removeEntry, updateEntry } from './change-trust.ts'
import type { SettingPorts } from './change-setting.ts'
import { changeSetting } from './change-setting.ts'
import type { TokenPorts } from './change-tokens.ts'
import { createToken, withdrawToken } from './change-tokens.ts'
import type { Asker } from './read-trust.ts'
import { readTrust, readTrustEntry } from './read-trust.ts'
import { fingerprintOf } from '../clusters/trust.ts'

/**
 * @param of the parts of one cluster
 * @param seesUses whether a person may read who did what from where
 */
export function trustRoutes(
  of: (cluster: string) => TokenPorts & SettingPorts,
  seesUses: (context: RequestContext, cluster: string) => boolean,
): Route[] {
  async function askerOf(context: RequestContext, cluster: string): Promise<Asker> {
    const { target, signal } = context
    return { scope: await context.scope(cluster), target, signal, seesUses: seesUses(context, cluster) }
  }

  return [
    route({
      endpoint: getTrust,
      action: 'trust.list',
      class: 'list',
      object: ({ cluster }) => cluster,
      handler: async (context, { params }) => {
        const { view, answer } = await readTrust(of(params.cluster), await askerOf(context, params.cluster))
        if (answer !== null) context.answeredBy(answer)
        return view
      },
    }),
    route({
      endpoint: getTrustEntry,
      action: 'trust.list',
      class: 'read',
      handler: async (context, { params }) => {
        const asker = await askerOf(context, params.cluster)
        const { entry, raw, etag, answer } = await readTrustEntry(of(params.cluster), asker, params.fingerprint)
        context.answeredBy(answer)
        return { entry, pem: raw.certificate ?? '', etag }
      },
    }),
    route({
      endpoint: addTrustEntry,
      action: 'trust.add',
      class: 'mutate',
      status: 201,
      stepUp: true,
      object: (_, { name }) => name,
      handler: async (context, { params, body }) => {
        const fingerprint = fingerprintOf(readCertificate(body.certificate))
        context.answeredBy(await addEntry(of(params.cluster), await askerOf(context, params.cluster), body))
        return { fingerprint }
      },
    }),
    route({
      endpoint: updateTrustEntry,
      action: 'trust.update',
      class: 'mutate',
      stepUp: true,
      handler: async (context, { params: { cluster, fingerprint }, body }) => {
        context.answeredBy(await updateEntry(of(cluster), await askerOf(context, cluster), fingerprint, body))
        return { fingerprint }
      },
    }),
    route({
      endpoint: removeTrustEntry,
      action: 'trust.remove',
      class: 'mutate',
      stepUp: true,
      handler: async (context, { params: { cluster, fingerprint } }) => {
        context.answeredBy(await removeEntry(of(cluster), await askerOf(context, cluster), fingerprint))
        return { fingerprint }
      },
    }),
    route({
      endpoint: changeTrustSetting,
      action: 'trust.configure',
      class: 'mutate',
      stepUp: true,
      object: (_, { key }) => key,
      handler: async (context, { params: { cluster }, body }) => {
        context.answeredBy(await changeSetting(of(cluster), await askerOf(context, cluster), body))
        return { key: body.key }
      },
    }),
    route({
      endpoint: rotateIdentity,
      action: 'trust.rotate',
      class: 'mutate',
      stepUp: true,
      object: ({ cluster }) => cluster,
      handler: async (_context, { params: { cluster } }) => {
        const { rotation, own, told } = of(cluster)
        await rotation.rotate().finally(() => told.changed())
        return { fingerprint: own() ?? '' }
      },
    }),
    route({
      endpoint: createTrustToken,
      action: 'trust.token',
      class: 'mutate',
      status: 201,
      stepUp: true,
      secret: true,
      object: (_, { name }) => name,
      handler: async (context, { params: { cluster }, body }) => {
        const asker = await askerOf(context, cluster)
        const { made, answer } = await createToken(of(cluster), asker, body, context.principal.name)
        context.answeredBy(answer, made.pending.id)
        return made
      },
    }),
    route({
      endpoint: withdrawTrustToken,
      action: 'trust.withdraw',
      class: 'mutate',
      stepUp: true,
      handler: async (context, { params: { cluster, operation } }) => {
        context.answeredBy(await withdrawToken(of(cluster), await askerOf(context, cluster), operation))
        return { id: operation }
      },
    }),
  ]
}
