import { createPublicKey, generateKeyPairSync, randomBytes, verify, X509Certificate } from 'node:crypto'
import { connect, createServer } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { type CertificateDescription, writeCertificate, writeSigningRequest } from './x509-writer.ts'

function keyOn(curve: 'P-256' | 'P-384') {
  return generateKeyPairSync('ec', { namedCurve: curve }).privateKey
}

function describeLeaf(curve: 'P-256' | 'P-384', more: Partial<CertificateDescription> = {}): CertificateDescription {
  const key = keyOn(curve)
  return {
    subject: 'malleus',
    issuer: 'malleus',
    subjectKey: key,
    issuerKey: key,
    serial: randomBytes(16),
    notBefore: new Date('2026-11-22T10:00:00Z'),
    notAfter: new Date('2036-11-19T10:00:00Z'),
    ...more,
  }
}

describe('a written certificate', () => {
  it.each(['P-256', 'P-384'] as const)('on %s says what it was told, and signs itself', (curve) => {
    const description = describeLeaf(curve, { usages: ['client'], names: ['a.example.net', '10.0.0.1', 'fd00::1'] })
    const certificate = new X509Certificate(writeCertificate(description))
    expect(certificate.subject).toBe('CN=malleus')
    expect(certificate.issuer).toBe('CN=malleus')
    expect(certificate.validFromDate.toISOString()).toBe('2026-11-22T10:00:00.000Z')
    expect(certificate.validToDate.toISOString()).toBe('2036-11-19T10:00:00.000Z')
    expect(certificate.subjectAltName).toBe('DNS:a.example.net, IP Address:10.0.0.1, IP Address:FD00:0:0:0:0:0:0:1')
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
    expect(certificate.ca).toBe(false)
    expect(certificate.verify(createPublicKey(description.issuerKey))).toBe(true)
    expect(certificate.checkPrivateKey(description.issuerKey)).toBe(true)
  })

  it.each([
    ['a first byte that is negative', Buffer.from([0xff, ...randomBytes(15)])],
    ['a first byte that is zero', Buffer.from([0, ...randomBytes(15)])],
    ['all zeroes', Buffer.alloc(16)],
  ])('has a positive serial number from %s', (_, serial) => {
    const { serialNumber } = new X509Certificate(writeCertificate(describeLeaf('P-256', { serial })))
    expect(serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/)
  })

  it('may end after 2049, when the form of dates changes', () => {
    const notAfter = new Date('2126-01-01T00:00:00Z')
    const { validToDate } = new X509Certificate(writeCertificate(describeLeaf('P-384', { notAfter })))
    expect(validToDate).toEqual(notAfter)
  })

  it('may be signed by an authority on another curve', () => {
    const authority = describeLeaf('P-384', { subject: 'ca', issuer: 'ca', authority: true })
    const ca = new X509Certificate(writeCertificate(authority))
    const leaf = new X509Certificate(
      writeCertificate(describeLeaf('P-256', { issuer: 'ca', issuerKey: authority.issuerKey })),
    )
    expect(ca.ca).toBe(true)
    expect(leaf.checkIssued(ca)).toBe(true)
    expect(leaf.verify(ca.publicKey)).toBe(true)
  })

  it('refuses keys of another kind', () => {
    const { privateKey } = generateKeyPairSync('ed25519')
    expect(() => writeCertificate(describeLeaf('P-256', { issuerKey: privateKey }))).toThrow(TypeError)
  })

  it('is taken by TLS 1.3 as a client certificate', async () => {
    const server = describeLeaf('P-256', { names: ['localhost'], usages: ['server'] })
    const client = describeLeaf('P-384', { usages: ['client'] })
    const serverCertificate = writeCertificate(server)
    const clientCertificate = writeCertificate(client)
    const pem = (description: CertificateDescription) => description.issuerKey.export({ type: 'pkcs8', format: 'pem' })
    const presented = await new Promise<Buffer>((resolve, reject) => {
      const listening = createServer(
        {
          cert: serverCertificate,
          key: pem(server),
          ca: clientCertificate,
          requestCert: true,
          rejectUnauthorized: true,
          minVersion: 'TLSv1.3',
        },
        (socket) => {
          resolve(socket.getPeerX509Certificate()?.raw ?? Buffer.alloc(0))
          socket.destroy()
          listening.close()
        },
      ).listen(0, '127.0.0.1', () => {
        const address = listening.address()
        const port = typeof address === 'object' ? (address?.port ?? 0) : 0
        connect({
          host: '127.0.0.1',
          port,
          servername: 'localhost',
          ca: serverCertificate,
          cert: clientCertificate,
          key: pem(client),
        }).on('error', reject)
      })
    })
    expect(presented).toEqual(new X509Certificate(clientCertificate).raw)
  })
})

describe('a request for a certificate', () => {
  it.each(['P-256', 'P-384'])('with a key on %s is signed with that key and names what is asked for', (namedCurve) => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve })
    const names = ['incus.example.net', '10.0.0.1']
    const request = writeSigningRequest({ subject: 'incus.example.net', key: privateKey, names, usages: ['server'] })
    expect(request).toMatch(/^-----BEGIN CERTIFICATE REQUEST-----\n/)
    const [toBeSigned, , signature] = piecesOf(Buffer.from(request.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64'))
    const hash = namedCurve === 'P-256' ? 'sha256' : 'sha384'
    // The first byte of a bit string says how many bits of the last are not used.
    expect(verify(hash, toBeSigned!.whole, publicKey, signature!.content.subarray(1))).toBe(true)
    const inner = piecesOf(toBeSigned!.whole)
    expect(inner[2]?.whole).toEqual(publicKey.export({ type: 'spki', format: 'der' }))
    expect(inner[3]?.whole.includes('incus.example.net')).toBe(true)
    expect(inner[3]?.whole.includes(Buffer.from([0x87, 4, 10, 0, 0, 1]))).toBe(true)
  })

  it('needs an EC key', () => {
    const { privateKey } = generateKeyPairSync('ed25519')
    const asked = { subject: 'x', key: privateKey, names: ['x'], usages: [] }
    expect(() => writeSigningRequest(asked)).toThrow(TypeError)
  })
})

/** What stands inside a DER value, one after the other. */
function piecesOf(der: Buffer): { whole: Buffer; content: Buffer }[] {
  const outer = pieceAt(der, 0)
  const pieces: { whole: Buffer; content: Buffer }[] = []
  for (let at = 0; at < outer.content.length;) {
    const piece = pieceAt(outer.content, at)
    pieces.push(piece)
    at += piece.whole.length
  }
  return pieces
}

function pieceAt(der: Buffer, at: number): { whole: Buffer; content: Buffer } {
  const first = der[at + 1] ?? 0
  const sizeBytes = first < 0x80 ? 0 : first & 0x7f
  const length = sizeBytes === 0 ? first : der.readUIntBE(at + 2, sizeBytes)
  const begin = at + 2 + sizeBytes
  return { whole: der.subarray(at, begin + length), content: der.subarray(begin, begin + length) }
}
