import { X509Certificate } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createCertificateAuthority, selfSigned } from '../../testing/certificate-authority.ts'
import { covers, describeCertificate } from './parse-certificate.ts'

const names = ['incus.example.net', '*.wild.example.net', '10.20.0.11', 'fd00::11']
const own = new X509Certificate(selfSigned({ commonName: 'root@server1', names }).certificate)

describe('a certificate', () => {
  test('of a cluster, as Incus makes it', () => {
    const described = describeCertificate(own)
    expect(described).toMatchObject({
      subject: 'CN=root@server1',
      issuer: 'CN=root@server1',
      selfSigned: true,
      key: 'ECDSA P-256',
      pem: expect.stringContaining('BEGIN CERTIFICATE') as string,
    })
    expect(described.fingerprint).toMatch(/^[0-9a-f]{64}$/)
    expect(described.names.slice(0, 3)).toEqual(['incus.example.net', '*.wild.example.net', '10.20.0.11'])
    expect(described.names[3]?.toLowerCase()).toContain('fd00')
    expect(Date.parse(described.expiresAt)).toBeGreaterThan(Date.parse(described.validFromAt))
  })

  test('of an authority names its issuer', () => {
    const authority = createCertificateAuthority('Example authority')
    const issued = new X509Certificate(authority.issue({ commonName: 'incus' }).certificate)
    expect(describeCertificate(issued)).toMatchObject({ issuer: 'CN=Example authority', selfSigned: false, names: [] })
  })

  test.each([
    ['incus.example.net', true],
    ['INCUS.example.net', true],
    ['a.wild.example.net', true],
    ['a.b.wild.example.net', false],
    ['10.20.0.11', true],
    ['fd00::11', true],
    ['FD00:0:0:0:0:0:0:11', true],
    ['10.20.0.12', false],
    ['root@server1', false],
    ['', false],
  ])('covers %s: %s', (name, covered) => {
    expect(covers(own, name)).toBe(covered)
  })
})
