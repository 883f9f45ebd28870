/**
 * Reads what somebody pasted or uploaded: a certificate, what signed it, in whatever order, and perhaps its private key.
 * What cannot be used is said in words; nothing of the text is ever repeated, since it may be a key.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

export interface CertificateBundle {
  /** The one that servers are to present. */
  readonly leaf: X509Certificate
  /** What signed it, nearest first, as far as it was given. */
  readonly chain: readonly X509Certificate[]
  /** What was given beside it and did not sign it. */
  readonly strangers: readonly X509Certificate[]
  /** Whether it was given in this order, the leaf first. */
  readonly inOrder: boolean
  readonly key: KeyObject | null
}

/** The message is a sentence for the person who gave it. */
export class BundleUnreadable extends Error {
  override readonly name = 'BundleUnreadable'
}

/** @throws BundleUnreadable, which never quotes the text. */
export function readBundle(text: string): CertificateBundle {
  const blocks = pemBlocks(text)
  const certificates = blocks.filter(({ label }) => CERTIFICATE_LABELS.has(label)).map(readCertificate)
  if (certificates.length === 0) throw new BundleUnreadable(whyNoCertificate(text, blocks))
  const key = readKey(blocks)
  const leaf = leafOf(certificates, key)
  const chain = chainOf(leaf, certificates)
  const used = [leaf, ...chain]
  const places = used.map((certificate) => certificates.indexOf(certificate))
  return {
    leaf,
    chain,
    strangers: certificates.filter((certificate) => !used.includes(certificate)),
    inOrder: places.every((place, at) => place === at),
    key,
  }
}

/** What servers are to present: the certificate and what signed it, without the root, which whoever verifies it has. */
export function presentablePem({ leaf, chain }: Pick<CertificateBundle, 'leaf' | 'chain'>): string {
  return [leaf, ...chain.filter((certificate) => !isSelfIssued(certificate))].map(String).join('')
}

/** By which a certificate and its key are known to belong together: SHA-256 is not needed to compare. */
export function samePublicKey(a: KeyObject, b: KeyObject): boolean {
  return a.export({ type: 'spki', format: 'der' }).equals(b.export({ type: 'spki', format: 'der' }))
}

/** Whether `issuer` signed it: by name, by its right to sign, and by the signature. */
export function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
  } catch {
    return false
  }
}

export function isSelfIssued(certificate: X509Certificate): boolean {
  return certificate.subject === certificate.issuer
}

interface PemBlock {
  readonly label: string
  readonly text: string
}

const CERTIFICATE_LABELS: ReadonlySet<string> = new Set(['CERTIFICATE', 'X509 CERTIFICATE', 'TRUSTED CERTIFICATE'])
/** PKCS#8, PKCS#1 and SEC1 (RFC 5958, 8017, 5915). */
const KEY_LABELS: ReadonlySet<string> = new Set(['PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY'])
const MOST_CERTIFICATES = 20
const MOST_BLOCKS = 100

/** Looked for from left to right: a pattern over the whole would take its time on a text made to keep it busy. */
function pemBlocks(text: string): PemBlock[] {
  const blocks: PemBlock[] = []
  let rest = 0
  for (const begin of text.matchAll(/-----BEGIN ([A-Z0-9 ]{1,40})-----/g).take(MOST_BLOCKS)) {
    if (begin.index < rest) continue
    const [, label = ''] = begin
    const end = `-----END ${label}-----`
    const at = text.indexOf(end, begin.index)
    if (at === -1) continue
    rest = at + end.length
    blocks.push({ label, text: text.slice(begin.index, rest) })
  }
  return blocks
}

function readCertificate({ text }: PemBlock, at: number, all: readonly PemBlock[]): X509Certificate {
  if (all.length > MOST_CERTIFICATES) {
    throw new BundleUnreadable(`There are ${all.length} certificates; one and those that signed it are needed.`)
  }
  try {
    return new X509Certificate(text.replaceAll(/(BEGIN|END) (X509|TRUSTED) CERTIFICATE/g, '$1 CERTIFICATE'))
  } catch {
    const which = all.length === 1 ? 'The certificate' : `Certificate number ${at + 1}`
    throw new BundleUnreadable(`${which} cannot be read. It may have been cut off or changed on the way.`)
  }
}

function readKey(blocks: readonly PemBlock[]): KeyObject | null {
  const isEncrypted = ({ label, text }: PemBlock): boolean =>
    label === 'ENCRYPTED PRIVATE KEY' || (KEY_LABELS.has(label) && text.includes('ENCRYPTED'))
  if (blocks.some(isEncrypted)) {
    throw new BundleUnreadable(
      'The private key is protected with a passphrase. The console never asks for one: take it off first, with ' +
        '"openssl pkey -in protected.key -out plain.key".',
    )
  }
  if (blocks.some(({ label }) => label === 'OPENSSH PRIVATE KEY')) {
    throw new BundleUnreadable('The private key is one of OpenSSH, which no certificate for a server uses.')
  }
  const keys = blocks.filter(({ label }) => KEY_LABELS.has(label))
  if (keys.length > 1) throw new BundleUnreadable(`There are ${keys.length} private keys; one is needed.`)
  const [only] = keys
  if (only === undefined) return null
  try {
    return createPrivateKey({ key: only.text, format: 'pem' })
  } catch {
    // The parser's own words may quote what it could not read.
    throw new BundleUnreadable('The private key cannot be read. It may have been cut off or changed on the way.')
  }
}

function whyNoCertificate(text: string, blocks: readonly PemBlock[]): string {
  const labels = new Set(blocks.map(({ label }) => label))
  if (labels.has('CERTIFICATE REQUEST') || labels.has('NEW CERTIFICATE REQUEST')) {
    return 'This is a request for a certificate, not a certificate: send it to the authority, and come back with what it signed.'
  }
  if (labels.has('PKCS7')) {
    return 'This is a PKCS#7 collection. Take the certificates out first, with "openssl pkcs7 -print_certs".'
  }
  if (labels.has('PUBLIC KEY')) return 'This is a public key, not a certificate.'
  if (labels.size > 0) return 'There is a private key and no certificate.'
  if (text.includes('-----BEGIN')) return 'The text begins like PEM and is cut off: its END line is missing.'
  if (text.trim() === '') return 'There is no certificate yet.'
  return 'This is not PEM, which begins with "-----BEGIN CERTIFICATE-----". Other forms can be turned into it with openssl.'
}

/** The one that the key belongs to; without a key, the one that signed none of the others. */
function leafOf(certificates: readonly X509Certificate[], key: KeyObject | null): X509Certificate {
  const byKey = key === null ? undefined : certificates.find((certificate) => certificate.checkPrivateKey(key))
  const signsNone = (certificate: X509Certificate): boolean =>
    !certificates.some((other) => other !== certificate && isSignedBy(other, certificate))
  const leaf =
    byKey ??
    certificates.find((certificate) => !certificate.ca && signsNone(certificate)) ??
    certificates.find(signsNone) ??
    certificates[0]
  if (leaf === undefined) throw new BundleUnreadable('There is no certificate yet.')
  return leaf
}

function chainOf(leaf: X509Certificate, certificates: readonly X509Certificate[]): X509Certificate[] {
  const chain: X509Certificate[] = []
  for (let last = leaf; !isSelfIssued(last);) {
    const issuer = certificates.find((other) => other !== leaf && !chain.includes(other) && isSignedBy(last, other))
    if (issuer === undefined) break
    chain.push(issuer)
    last = issuer
  }
  return chain
}
