/**
 * Certificates for tests. Node can read X.509 and cannot write it, and a machine that has only Node has no `openssl`
 * either, so this file is the smallest DER writer (X.690) that makes EC P-256 certificates of RFC 5280 with subject
 * alternative names, key usages and chosen dates. Nothing here is fit for anything but tests and the demo.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto'
import { isIPv4, isIPv6 } from 'node:net'

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
  const notBefore = request.notBefore ?? new Date(now - HOUR_MS)
  const notAfter = request.notAfter ?? new Date(now + TEN_YEARS_MS)
  const publicKey = createPublicKey(signing.subjectKey).export({ type: 'spki', format: 'der' })
  const toBeSigned = sequence(
    explicit(0, integer(Buffer.from([2]))), // version 3
    integer(serialNumber()),
    ECDSA_WITH_SHA256,
    distinguishedName(signing.issuer),
    sequence(time(notBefore), time(notAfter)),
    distinguishedName(request.commonName),
    publicKey,
    explicit(3, sequence(...extensions(request, signing.authority))),
  )
  const signature = sign('sha256', toBeSigned, createPrivateKey(signing.issuerKey))
  return { certificate: pem(sequence(toBeSigned, ECDSA_WITH_SHA256, bitString(signature))), key: signing.subjectKey }
}

function extensions(request: CertificateRequest, authority: boolean): Buffer[] {
  const usages = (request.usages ?? ['server', 'client']).map((usage) =>
    objectIdentifier(usage === 'server' ? '1.3.6.1.5.5.7.3.1' : '1.3.6.1.5.5.7.3.2'),
  )
  const names = (request.names ?? []).map(generalName)
  return [
    extension('2.5.29.19', true, authority ? sequence(boolean(true)) : sequence()),
    extension('2.5.29.15', true, keyUsage(authority)),
    ...(usages.length > 0 ? [extension('2.5.29.37', false, sequence(...usages))] : []),
    ...(names.length > 0 ? [extension('2.5.29.17', false, sequence(...names))] : []),
  ]
}

function newKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function serialNumber(): Buffer {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40 // positive, and no leading zero that DER would forbid
  return bytes
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
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

/** digitalSignature for a leaf; keyCertSign and cRLSign for an authority: bits 0, 5 and 6 of RFC 5280 section 4.2.1.3. */
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

/** UTCTime until 2049 and GeneralizedTime after it, RFC 5280 section 4.1.2.5. */
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

const ECDSA_WITH_SHA256 = sequence(objectIdentifier('1.2.840.10045.4.3.2'))
