import { X509Certificate } from 'node:crypto'
import { fingerprintOf } from '../../src/clusters/trust.ts'
import { selfSigned } from '../certificate-authority.ts'

/** What members present: the cluster's certificate, or one that is not. Made once; nothing of them is in the trace. */
export const certificates = {
  own: new X509Certificate(selfSigned({ commonName: 'cluster' }).certificate),
  other: new X509Certificate(selfSigned({ commonName: 'somebody else' }).certificate),
}

export const clusterFingerprint = fingerprintOf(certificates.own)
