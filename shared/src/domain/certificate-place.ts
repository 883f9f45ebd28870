import { z } from 'zod'

/** Whose certificate it is: of a cluster, of the console towards one, of a way to one, or of what all of it needs. */
export const CertificateKind = z.enum(['cluster', 'identity', 'access-path', 'trust-entry', 'console', 'provider'])
export type CertificateKind = z.infer<typeof CertificateKind>

/** Days before its end at which a certificate is told, each once. */
export const alertThresholds = [30, 14, 7, 3, 1] as const
export type AlertThreshold = (typeof alertThresholds)[number]

/** Whose certificate, as people say it, with a capital letter: "The certificate of the cluster prod-eu". */
export function certificateOf(place: {
  readonly kind: CertificateKind
  readonly cluster: string | null
  readonly name: string
}): string {
  const { kind, cluster, name } = place
  switch (kind) {
    case 'cluster':
      return `The certificate of the cluster ${cluster ?? name}`
    case 'identity':
      return `The certificate by which ${cluster ?? name} knows this console`
    case 'access-path':
      return `The certificate at the access path ${name} of ${cluster ?? '?'}`
    case 'trust-entry':
      return `The certificate of ${name}, whom ${cluster ?? '?'} trusts`
    case 'console':
      return 'The certificate that this console shows to browsers'
    case 'provider':
      return `The certificate of the identity provider, ${name}`
  }
}

/** The page on which it can be replaced; null where that is done elsewhere. */
export function pageOfCertificate({
  kind,
  cluster,
}: {
  readonly kind: CertificateKind
  readonly cluster: string | null
}): string | null {
  if (cluster === null) return null
  const base = `/clusters/${encodeURIComponent(cluster)}`
  switch (kind) {
    case 'cluster':
      return `${base}/certificates`
    case 'identity':
    case 'trust-entry':
      return `${base}/trust`
    case 'access-path':
      return `${base}/access-paths`
    case 'console':
    case 'provider':
      return null
  }
}
