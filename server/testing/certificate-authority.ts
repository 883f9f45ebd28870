/** Certificates for tests and the demo: authorities, what they issue, and certificates that sign themselves. */
import { createHash, createPrivateKey, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto'
import { writeCertificate } from '../src/lib/x509-writer.ts'

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  certificate: string
  key: string
}

export interface CertificateRequest {
  /** The subject's common name. */
  commonName: string
  /** DNS names and IP addresses (v4 or v6) for the subject alternative names. Default: none. */
  names?: readonly string[]
  /** Extended key usages. Default: server and client authentication. */
  usages?: readonly ('server' | 'client')[]
  /** Default: an hour before now. */
  notBefore?: Date
  /** Default: ten years after now, as Incus makes them. */
  notAfter?: Date
}

export interface CertificateAuthority extends KeyPair {
  /** A certificate signed by this authority, with a key of its own. */
  issue(request: CertificateRequest): KeyPair
}

/** An authority whose certificate a client can be told to trust. */
export function createCertificateAuthority(
  name = 'Malleus test authority',
  validity: Pick<CertificateRequest, 'notBefore' | 'notAfter'> = {},
): CertificateAuthority {
  const key = newKey()
  const own = build(
    { commonName: name, usages: [], ...validity },
    { subjectKey: key, issuer: name, issuerKey: key, authority: true },
  )
  return {
    ...own,
    issue: (request) => build(request, { subjectKey: newKey(), issuer: name, issuerKey: key, authority: false }),
  }
}

/** A certificate that signs itself, as Incus makes for a server, a cluster and a client. */
export function selfSigned(request: CertificateRequest): KeyPair {
  const key = newKey()
  return build(request, { subjectKey: key, issuer: request.commonName, issuerKey: key, authority: false })
}

/** SHA-256 of the DER bytes in lower-case hex without colons, as Incus writes fingerprints. */
export function fingerprintOf(certificate: string): string {
  return createHash('sha256').update(new X509Certificate(certificate).raw).digest('hex')
}

interface Signing {
  subjectKey: string
  issuer: string
  issuerKey: string
  authority: boolean
}

const HOUR_MS = 3_600_000
const TEN_YEARS_MS = 10 * 365 * 24 * HOUR_MS

function build(request: CertificateRequest, signing: Signing): KeyPair {
  const now = Date.now()
  const certificate = writeCertificate({
    subject: request.commonName,
    issuer: signing.issuer,
    subjectKey: createPrivateKey(signing.subjectKey),
    issuerKey: createPrivateKey(signing.issuerKey),
    serial: randomBytes(16),
    notBefore: request.notBefore ?? new Date(now - HOUR_MS),
    notAfter: request.notAfter ?? new Date(now + TEN_YEARS_MS),
    names: request.names ?? [],
    usages: request.usages ?? ['server', 'client'],
    authority: signing.authority,
  })
  return { certificate, key: signing.subjectKey }
}

function newKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}
