import { getCertificate } from '@malleus/shared/api/certificate.ts'
import {
  changePins,
  checkCertificate,
  discardKey,
  getReplacement,
  prepareKey,
  replaceCertificate,
} from '@malleus/shared/api/certificate-replacement.ts'
import type { Trust } from '../clusters/trust.ts'
import type { RequestContext, Route } from '../http/route.ts'
import { route } from '../http/route.ts'
import { changePinsOf } from './change-pins.ts'
import type { CertificateFacts } from './cluster-certificates.ts'
import { clusterCertificate } from './cluster-certificates.ts'
import { describeCertificate } from './parse-certificate.ts'
import type { PreparedKeys } from './prepared-keys.ts'
import type { ReplacementAsker, Replacements } from './replacements.ts'
import type { TrustFollower } from './trust-follow.ts'

/** The parts of one cluster that its routes need. */
export interface CertificateRooms {
  /** What the parts of a cluster know at this moment. */
  facts(): CertificateFacts
  readonly replacements: Replacements
  readonly keys: PreparedKeys
  readonly trust: Pick<Trust, 'anchor'>
  readonly follower: TrustFollower
}

/** `of` finds a cluster by name; the door has checked that the person may see it. */
export function certificateRoutes(of: (cluster: string) => CertificateRooms): Route[] {
  return [
    route({
      endpoint: getCertificate,
      action: 'certificate.read',
      class: 'read',
      object: ({ cluster }) => cluster,
      handler: (_context, { params }) => Promise.resolve(clusterCertificate(of(params.cluster).facts())),
    }),
    route({
      endpoint: getReplacement,
      action: 'certificate.read',
      class: 'read',
      object: ({ cluster }) => cluster,
      handler: (_context, { params }) => of(params.cluster).replacements.view(),
    }),
    route({
      endpoint: checkCertificate,
      action: 'certificate.check',
      class: 'read',
      object: ({ cluster }) => cluster,
      handler: async (_context, { params, body }) => {
        const { bundle, key, checks } = await of(params.cluster).replacements.check(body)
        return {
          certificate: bundle && describeCertificate(bundle.leaf),
          chain: (bundle?.chain ?? []).map(describeCertificate),
          key,
          checks,
        }
      },
    }),
    route({
      endpoint: replaceCertificate,
      action: 'certificate.replace',
      class: 'mutate',
      stepUp: true,
      object: ({ cluster }) => cluster,
      handler: async (context, { params, body }) => {
        const { replacements } = of(params.cluster)
        const by = await asker(context, params.cluster)
        const answer =
          body.what === 'given' ? await replacements.replace(by, body) : await replacements.repeat(by, body.what)
        context.answeredBy(answer)
        return { replacement: answer.value }
      },
    }),
    route({
      endpoint: prepareKey,
      action: 'certificate.prepare',
      class: 'mutate',
      stepUp: true,
      object: ({ cluster }) => cluster,
      handler: async (_context, { params, body }) => ({ prepared: await of(params.cluster).keys.prepare(body) }),
    }),
    route({
      endpoint: discardKey,
      action: 'certificate.discard',
      class: 'mutate',
      stepUp: true,
      handler: async (_context, { params }) => {
        const { keys } = of(params.cluster)
        await keys.discard(params.key)
        return { prepared: await keys.list() }
      },
    }),
    route({
      endpoint: changePins,
      action: 'certificate.pin',
      class: 'mutate',
      stepUp: true,
      object: ({ cluster }) => cluster,
      handler: ({ principal }, { params, body }) =>
        Promise.resolve({ pins: changePinsOf(of(params.cluster), body, principal.name) }),
    }),
  ]
}

async function asker(context: RequestContext, cluster: string): Promise<ReplacementAsker> {
  const { principal, requestId, target, signal } = context
  return { name: principal.name, requestId, target, signal, scope: await context.scope(cluster) }
}
