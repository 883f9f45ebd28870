import type { X509Certificate } from 'node:crypto'
import { isIP, isIPv6 } from 'node:net'
import type { Certificate } from '@malleus/shared/api/certificate.ts'
import { fingerprintOf } from '../clusters/trust.ts'
import { instant } from '../lib/clock.ts'

/** An X.509 certificate as people and pages read it. */
export function describeCertificate(certificate: X509Certificate): Certificate {
  return {
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    // Not `checkIssued`: that asks whether it may sign others, which a server's own certificate may not.
    selfSigned: certificate.subject === certificate.issuer && certificate.verify(certificate.publicKey),
    names: namesOf(certificate.subjectAltName),
    validFromAt: instant(certificate.validFromDate.getTime()),
    expiresAt: instant(certificate.validToDate.getTime()),
    fingerprint: fingerprintOf(certificate),
    key: keyOf(certificate),
    serial: certificate.serialNumber.toLowerCase(),
    pem: certificate.toString(),
  }
}

/** Whether a client that checks names would accept it for that name or address. */
export function covers(certificate: X509Certificate, name: string): boolean {
  if (isIP(name) !== 0) return certificate.checkIP(name) !== undefined
  // OpenSSL throws for what cannot be the name of a host.
  return HOST_NAME.test(name) && certificate.checkHost(name, { subject: 'never' }) !== undefined
}

const HOST_NAME = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i

/** Node writes one attribute per line, most general first (`O=…\nCN=…`). */
function oneLine(name: string | undefined): string {
  return (name ?? '').split('\n').filter(Boolean).toReversed().join(', ')
}

/**
 * `DNS:a.example, IP Address:10.0.0.1`. A value that holds a comma or a quote is a JSON string (node `tls`,
 * CVE-2021-44532), so it is not split in its middle. A name that stands there twice is given once.
 */
function namesOf(subjectAltName: string | undefined): string[] {
  const entries = (subjectAltName ?? '').matchAll(/(?:^|, )(DNS|IP Address|URI|email):("(?:[^"\\]|\\.)*"|[^,]*)/g)
  const names = [...entries].map(([, kind, value = '']) => {
    const text = value.startsWith('"') ? String(JSON.parse(value)) : value
    return kind === 'IP Address' && isIPv6(text) ? shortened(text) : text
  })
  return [...new Set(names)]
}

/** OpenSSL writes `0:0:0:0:0:0:0:1`, people write `::1` (RFC 5952). */
function shortened(address: string): string {
  return new URL(`https://[${address}]`).hostname.slice(1, -1)
}

const curves: Readonly<Record<string, string>> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' }

function keyOf({ publicKey }: X509Certificate): string {
  const { namedCurve, modulusLength } = publicKey.asymmetricKeyDetails ?? {}
  switch (publicKey.asymmetricKeyType) {
    case 'ec':
      return `ECDSA ${curves[namedCurve ?? ''] ?? namedCurve ?? ''}`.trim()
    case 'rsa':
    case 'rsa-pss':
      return `RSA ${modulusLength ?? ''}`.trim()
    case 'ed25519':
      return 'Ed25519'
    case 'ed448':
      return 'Ed448'
    default:
      return publicKey.asymmetricKeyType ?? 'unknown'
  }
}
