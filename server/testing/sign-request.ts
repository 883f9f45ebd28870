import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto'
import { writeCertificate } from '../src/lib/x509-writer.ts'
import type { CertificateAuthority } from './certificate-authority.ts'

/**
 * What an authority makes of a request for a certificate (PKCS#10) with a key on P-256: for `incus.example` and this
 * machine, for three months. The `SubjectPublicKeyInfo` of such a key has 91 bytes and begins as here (RFC 5480).
 */
export function signRequest(authority: Pick<CertificateAuthority, 'key'>, request: string): string {
  const der = Buffer.from(request.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')
  const at = der.indexOf(Buffer.from('3059301306072a8648ce3d0201', 'hex'))
  return writeCertificate({
    subject: 'incus.example',
    issuer: 'Malleus test authority',
    subjectKey: createPublicKey({ key: der.subarray(at, at + 91), format: 'der', type: 'spki' }),
    issuerKey: createPrivateKey(authority.key),
    serial: randomBytes(16),
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 90 * 86_400_000),
    names: ['incus.example', '127.0.0.1'],
    usages: ['server'],
  })
}
