import { X509Certificate } from 'node:crypto'
import { createServer, request } from 'node:https'
import { describe, expect, test } from 'vitest'
import { createCertificateAuthority, fingerprintOf, selfSigned } from './certificate-authority.ts'

describe('certificates for tests', () => {
  test('carry names, addresses, usages and the dates that were asked for', () => {
    const notBefore = new Date('2026-01-02T03:04:05Z')
    const notAfter = new Date('2051-06-07T08:09:10Z')
    const { certificate } = selfSigned({
      commonName: 'server1',
      names: ['server1.example', '127.0.0.1', '::1', 'fd42:1::2'],
      usages: ['server'],
      notBefore,
      notAfter,
    })
    const parsed = new X509Certificate(certificate)
    expect(parsed.subject).toBe('CN=server1')
    expect(parsed.subjectAltName).toBe(
      'DNS:server1.example, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:FD42:1:0:0:0:0:0:2',
    )
    expect(parsed.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
    expect(parsed.validFromDate).toEqual(notBefore)
    expect(parsed.validToDate).toEqual(notAfter)
    expect(parsed.verify(parsed.publicKey)).toBe(true)
    expect(fingerprintOf(certificate)).toBe(parsed.fingerprint256.replaceAll(':', '').toLowerCase())
  })

  test('are signed by their authority, which says that it is one', () => {
    const authority = createCertificateAuthority()
    const issued = new X509Certificate(authority.issue({ commonName: 'idp', names: ['localhost'] }).certificate)
    const parent = new X509Certificate(authority.certificate)
    expect(parent.ca).toBe(true)
    expect(issued.ca).toBe(false)
    expect(issued.checkIssued(parent)).toBe(true)
    expect(issued.verify(parent.publicKey)).toBe(true)
  })

  test('are accepted by a client that trusts the authority, and refused by one that does not', async () => {
    const authority = createCertificateAuthority()
    const { certificate, key } = authority.issue({ commonName: 'idp', names: ['127.0.0.1'] })
    const server = createServer({ cert: certificate, key, minVersion: 'TLSv1.3' }, (_request, response) =>
      response.end('ok'),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    try {
      expect(await statusOf(port, authority.certificate)).toBe(200)
      await expect(statusOf(port, selfSigned({ commonName: 'other' }).certificate)).rejects.toThrow(/certificate/)
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })
})

function statusOf(port: number, ca: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, ca, agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
      .on('error', reject)
      .end()
  })
}
