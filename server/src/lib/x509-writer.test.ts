import { createPublicKey, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto'
import { connect, createServer } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { type CertificateDescription, writeCertificate } from './x509-writer.ts'

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
