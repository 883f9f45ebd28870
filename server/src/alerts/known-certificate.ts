import type { CertificateKind } from '@malleus/shared/domain/certificate-place.ts'

/** A certificate that the console knows of, wherever from. */
export interface KnownCertificate {
  readonly kind: CertificateKind
  /** Null for what belongs to no cluster. */
  readonly cluster: string | null
  /** Of the cluster, the access path, the trust entry, or the host. */
  readonly name: string
  /** SHA-256 of the certificate, lower-case hexadecimal. */
  readonly fingerprint: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/** A place where certificates are known. Reading it must be cheap: it asks nobody. */
export interface CertificateSource {
  /** The same for ever: by it, a certificate that is not there any more is known to be gone. */
  readonly name: string
  /** All that is known; null as long as nothing is, or no longer. */
  readonly read: () => readonly KnownCertificate[] | null
}
