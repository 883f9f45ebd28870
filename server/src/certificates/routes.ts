import { getCertificate } from '@malleus/shared/api/certificate.ts'
import type { Route } from '../http/route.ts'
import { route } from '../http/route.ts'
import type { CertificateFacts } from './cluster-certificates.ts'
import { clusterCertificate } from './cluster-certificates.ts'

/** `factsOf` says what the parts of a cluster know at this moment. */
export function certificateRoutes(factsOf: (cluster: string) => CertificateFacts): Route[] {
  return [
    route({
      endpoint: getCertificate,
      action: 'certificate.read',
      class: 'read',
      object: ({ cluster }) => cluster,
      handler: (_context, { params }) => Promise.resolve(clusterCertificate(factsOf(params.cluster))),
    }),
  ]
}
