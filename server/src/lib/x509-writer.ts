/**
 * Writes X.509 certificates and requests for them, which Node can read and not write: the smallest DER writer (X.690)
 * for certificates of RFC 5280 and requests of RFC 2986 with an EC key, a common name, alternative names, key usages and
 * chosen dates. The console's own client certificate is made with it, the request for a certificate of a cluster, and
 * every certificate of the tests and the demo.
 */
import { createPublicKey, type KeyObject, sign } from 'node:crypto'
import { isIPv4, isIPv6 } from 'node:net'

export interface CertificateDescription {
  /** Common name of whom it is for. */
  readonly subject: string
  /** Common name of who signs it; the same as `subject` when it signs itself. */
  readonly issuer: string
  /** EC key on P-256 or P-384, private or public. */
  readonly subjectKey: KeyObject
  /** EC private key on P-256 or P-384. */
  readonly issuerKey: KeyObject
  /** 16 random bytes. */
  readonly serial: Uint8Array
  readonly notBefore: Date
  readonly notAfter: Date
  /** DNS names and IP addresses it covers. Default: none. */
  readonly names?: readonly string[]
  /** Extended key usages. Default: none, which is any. */
  readonly usages?: readonly ('server' | 'client')[]
  /** Whether it may sign others. Default: no. */
  readonly authority?: boolean
}

/** The signed certificate, PEM. Throws a TypeError for a key that is not EC on P-256 or P-384. */
export function writeCertificate(description: CertificateDescription): string {
  const { hash, identifier } = signatureOf(description.issuerKey)
  const algorithm = sequence(objectIdentifier(identifier))
  const publicKey = publicPart(description.subjectKey).export({ type: 'spki', format: 'der' })
  const toBeSigned = sequence(
    explicit(0, integer(Buffer.from([2]))), // version 3
    integer(positive(description.serial)),
    algorithm,
    distinguishedName(description.issuer),
    sequence(time(description.notBefore), time(description.notAfter)),
    distinguishedName(description.subject),
    publicKey,
    explicit(3, sequence(...extensions(description))),
  )
  const signature = sign(hash, toBeSigned, description.issuerKey)
  return pem(sequence(toBeSigned, algorithm, bitString(signature)))
}

export interface SigningRequestDescription {
  /** Common name of whom it is for. */
  readonly subject: string
  /** EC private key on P-256 or P-384. */
  readonly key: KeyObject
  /** DNS names and IP addresses it is to cover. */
  readonly names: readonly string[]
  /** Extended key usages that are asked for. */
  readonly usages: readonly ('server' | 'client')[]
}

/** The signed request for a certificate (PKCS#10), PEM. Throws a TypeError for a key that is not EC on P-256 or P-384. */
export function writeSigningRequest({ subject, key, names, usages }: SigningRequestDescription): string {
  const { hash, identifier } = signatureOf(key)
  // extensionRequest, RFC 2985, 5.4.2. Whether it may sign others is for the authority to say, so that is left out.
  const [, ...wanted] = extensions({ names, usages })
  const asked = sequence(objectIdentifier('1.2.840.113549.1.9.14'), encode(0x31, sequence(...wanted)))
  const toBeSigned = sequence(
    integer(Buffer.from([0])), // version 1
    distinguishedName(subject),
    publicPart(key).export({ type: 'spki', format: 'der' }),
    explicit(0, asked),
  )
  const algorithm = sequence(objectIdentifier(identifier))
  return pem(sequence(toBeSigned, algorithm, bitString(sign(hash, toBeSigned, key))), 'CERTIFICATE REQUEST')
}

function extensions({
  names = [],
  usages = [],
  authority = false,
}: Pick<CertificateDescription, 'names' | 'usages' | 'authority'>): Buffer[] {
  const identifiers = usages.map((usage) =>
    objectIdentifier(usage === 'server' ? '1.3.6.1.5.5.7.3.1' : '1.3.6.1.5.5.7.3.2'),
  )
  return [
    extension('2.5.29.19', true, authority ? sequence(boolean(true)) : sequence()),
    extension('2.5.29.15', true, keyUsage(authority)),
    ...(identifiers.length > 0 ? [extension('2.5.29.37', false, sequence(...identifiers))] : []),
    ...(names.length > 0 ? [extension('2.5.29.17', false, sequence(...names.map(generalName)))] : []),
  ]
}

/** ecdsa-with-SHA256 and -SHA384 (RFC 5758, 3.2), by the curve of the key that signs. */
function signatureOf(key: KeyObject): { hash: string; identifier: string } {
  const curve = key.asymmetricKeyDetails?.namedCurve
  if (curve === 'prime256v1') return { hash: 'sha256', identifier: '1.2.840.10045.4.3.2' }
  if (curve === 'secp384r1') return { hash: 'sha384', identifier: '1.2.840.10045.4.3.3' }
  throw new TypeError('certificates are signed with EC keys on P-256 or P-384')
}

function publicPart(key: KeyObject): KeyObject {
  return key.type === 'public' ? key : createPublicKey(key)
}

/** Positive, and without a leading zero that DER would forbid. */
function positive(serial: Uint8Array): Buffer {
  const bytes = Buffer.from(serial)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes
}

function pem(der: Buffer, label = 'CERTIFICATE'): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

// DER, X.690: every value is a tag, a length and the content.

function encode(tag: number, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents)
  return Buffer.concat([Buffer.from([tag]), lengthOf(content), content])
}

function lengthOf(content: Buffer): Buffer {
  if (content.length < 128) return Buffer.from([content.length])
  const bytes: number[] = []
  for (let rest = content.length; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff)
  return Buffer.from([0x80 | bytes.length, ...bytes])
}

function sequence(...contents: Buffer[]): Buffer {
  return encode(0x30, ...contents)
}

function explicit(tag: number, content: Buffer): Buffer {
  return encode(0xa0 | tag, content)
}

function integer(bytes: Buffer): Buffer {
  return encode(0x02, bytes)
}

function boolean(value: boolean): Buffer {
  return encode(0x01, Buffer.from([value ? 0xff : 0]))
}

function bitString(bytes: Buffer): Buffer {
  return encode(0x03, Buffer.from([0]), bytes)
}

/** digitalSignature for a leaf; keyCertSign and cRLSign for an authority: bits 0, 5 and 6 of RFC 5280, 4.2.1.3. */
function keyUsage(authority: boolean): Buffer {
  return authority ? encode(0x03, Buffer.from([1, 0b0000_0110])) : encode(0x03, Buffer.from([7, 0b1000_0000]))
}

function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return encode(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

function base128(value: number): number[] {
  const bytes = [value & 0x7f]
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes.unshift((rest & 0x7f) | 0x80)
  return bytes
}

function distinguishedName(commonName: string): Buffer {
  const attribute = sequence(objectIdentifier('2.5.4.3'), encode(0x0c, Buffer.from(commonName, 'utf8')))
  return sequence(encode(0x31, attribute))
}

/** UTCTime until 2049 and GeneralizedTime after it, RFC 5280, 4.1.2.5. */
function time(date: Date): Buffer {
  const digits = date.toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return date.getUTCFullYear() < 2050 ? encode(0x17, Buffer.from(digits.slice(2))) : encode(0x18, Buffer.from(digits))
}

function generalName(name: string): Buffer {
  if (isIPv4(name)) return encode(0x87, Buffer.from(name.split('.').map(Number)))
  if (isIPv6(name)) return encode(0x87, ipv6Bytes(name))
  return encode(0x82, Buffer.from(name, 'ascii'))
}

function ipv6Bytes(address: string): Buffer {
  // The URL parser writes every form of an IPv6 address in one; only the run of zeroes is left to fill in.
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [head = '', tail] = canonical.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right]
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex')
}

function extension(identifier: string, critical: boolean, value: Buffer): Buffer {
  const parts = critical ? [boolean(true)] : []
  return sequence(objectIdentifier(identifier), ...parts, encode(0x04, value))
}
