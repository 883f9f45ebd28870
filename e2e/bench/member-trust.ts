import { createHash, X509Certificate } from 'node:crypto'
import { createSecureContext, type PeerCertificate, type SecureContext } from 'node:tls'

/** A member as a program reaches it without the console. */
export interface MemberAddress {
  readonly name: string
  readonly host: string
  readonly port: number
}

/** TLS options by which a client believes the cluster's certificate and no other. */
export interface ClusterTrust {
  readonly secureContext: SecureContext
  readonly checkServerIdentity: (host: string, shown: PeerCertificate) => Error | undefined
}

/** Believes this certificate (PEM), as an incus remote that was added by fingerprint does. */
export function clusterTrust(certificate: string): ClusterTrust {
  const expected = createHash('sha256').update(new X509Certificate(certificate).raw).digest('hex')
  return {
    // Self-signed, and so its own authority. It names the member that made it, not the address that is dialled. One
    // context for all connections: making it costs more than a handshake, and would be measured with each.
    secureContext: createSecureContext({ ca: certificate }),
    checkServerIdentity: (host, shown) =>
      createHash('sha256').update(shown.raw).digest('hex') === expected
        ? undefined
        : new Error(`${host} shows a certificate that is not the cluster's`),
  }
}
