import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { IncusTrustEntry } from '@malleus/shared/incus/certificate.ts'
import { describe, expect, test } from 'vitest'
import { fingerprintOf, selfSigned } from '../../testing/certificate-authority.ts'
import { describeCertificate } from '../certificates/parse-certificate.ts'
import { writeCertificate } from '../lib/x509-writer.ts'
import { trustEntries } from './trust-entries.ts'
import type { EntryFacts } from './trust-entries.ts'

const day = 86_400_000
const now = Date.parse('2026-11-22T12:00:00Z')
const validFor = (days: number) => ({ notBefore: new Date(now - 10 * day), notAfter: new Date(now + days * day) })

function entry(certificate: string, more: Partial<IncusTrustEntry> = {}): IncusTrustEntry {
  const fingerprint = certificate === 'no certificate' ? 'f'.repeat(64) : fingerprintOf(certificate)
  return {
    fingerprint,
    name: 'jo',
    type: 'client',
    restricted: false,
    projects: [],
    description: '',
    certificate,
    ...more,
  }
}

function codesOf(certificate: string, more: Partial<IncusTrustEntry> = {}): string[] {
  const [only] = trustEntries([entry(certificate, more)], facts())
  return (only?.findings ?? []).map(({ severity, code }) => `${severity} ${code}`)
}

function facts(more: Partial<EntryFacts> = {}): EntryFacts {
  return { own: null, projects: 'all', describe: describeCertificate, lastUse: () => null, now, ...more }
}

// RSA 1024, signed with SHA-1 (`openssl req -x509 -newkey rsa:1024 -sha1`), good until 2126.
const weak = `-----BEGIN CERTIFICATE-----
MIIB+jCCAWOgAwIBAgIUYWKrYlRUrQVDSsn9OSuCbAGsZ0kwDQYJKoZIhvcNAQEF
BQAwDjEMMAoGA1UEAwwDb2xkMCAXDTI2MTEyMjE4MDgwOVoYDzIxMjYxMDI5MTgw
ODA5WjAOMQwwCgYDVQQDDANvbGQwgZ8wDQYJKoZIhvcNAQEBBQADgY0AMIGJAoGB
AMwJH9/uCIoN6AN0967POMyJsoJNpARW//vyzheGpqH5FNI/NyJskmyRRrjMtU3u
3M1doRpC6SnZtjIQpLoFQQAXgxQ/Yq6pGUDgKMv4i6Uv+iy0y7ST1fwMFXzUczGn
ilz05pQNzirNhW9IkIFgwoYzKvPSNoNnwPudABMb2F1bAgMBAAGjUzBRMB0GA1Ud
DgQWBBQpoF6dXLlTczNgsFKay/gcZl12QzAfBgNVHSMEGDAWgBQpoF6dXLlTczNg
sFKay/gcZl12QzAPBgNVHRMBAf8EBTADAQH/MA0GCSqGSIb3DQEBBQUAA4GBAKSu
D6kVnoHX2wahtQGIpZH/nLWeIKtntCwZIY/2Wh6wtIgycfgTtuvDmK/jO6yQ6Q36
sUmgGApcDkJ7RQgyMPbfwHL6hhGq1p9cm/E1ugiVmdqubcXuDqDxApL/+rQj4X7h
feGq+QTgt2xr8JMfdXtckCL0YBo+c9IaOPJcCDO7
-----END CERTIFICATE-----`

describe('a trust entry', () => {
  test.each<[string, number, string[]]>([
    ['has ten years left', 3650, []],
    ['has thirty days left', 30.5, []],
    ['has a fortnight left', 14.5, ['warning expires']],
    ['has three days left', 3.5, ['bad expires']],
    ['has hours left', 0.5, ['bad expires']],
    ['is over', -1, ['bad expired']],
  ])('that %s', (_, days, codes) => {
    expect(codesOf(selfSigned({ commonName: 'jo', ...validFor(days) }).certificate)).toEqual(codes)
  })

  test('that begins tomorrow is not valid yet', () => {
    const notBefore = new Date(now + day)
    expect(codesOf(selfSigned({ commonName: 'jo', notBefore }).certificate)).toEqual(['warning not_yet_valid'])
  })

  test('that is no certificate says so', () => {
    const [only] = trustEntries([entry('no certificate')], facts())
    expect(only).toMatchObject({ certificate: null, findings: [{ code: 'unreadable' }] })
  })

  test('with a short key and an old signature is weak in both', () => {
    const [only] = trustEntries([entry(weak)], facts({ now: Date.parse('2026-12-01T00:00:00Z') }))
    expect(only?.findings.map(({ text }) => text)).toEqual([
      'Its key is weak: RSA 1024.',
      'It is signed with sha1WithRSAEncryption.',
    ])
  })

  test('that is restricted to nothing may do nothing', () => {
    const { certificate } = selfSigned({ commonName: 'jo', ...validFor(100) })
    expect(codesOf(certificate, { restricted: true })).toEqual(['info restricted_nowhere'])
    expect(codesOf(certificate, { restricted: true, projects: ['web'] })).toEqual([])
  })

  test('tells what its certificate says', () => {
    const { certificate } = selfSigned({ commonName: 'jo@laptop', ...validFor(100) })
    const [only] = trustEntries([entry(certificate)], facts())
    expect(only?.certificate).toMatchObject({
      subject: 'CN=jo@laptop',
      issuer: 'CN=jo@laptop',
      selfSigned: true,
      key: 'ECDSA P-256',
      signature: 'ecdsa-with-SHA256',
      expiresAt: new Date(now + 100 * day).toISOString(),
    })
  })

  test('of this console is marked', () => {
    const { certificate } = selfSigned({ commonName: 'malleus' })
    const [only] = trustEntries([entry(certificate)], facts({ own: fingerprintOf(certificate) }))
    expect(only?.isConsole).toBe(true)
  })
})

describe('entries beside each other', () => {
  test('that have one name say so, and members do not', () => {
    const three = ['a', 'b', 'c'].map((commonName) => selfSigned({ commonName, ...validFor(100) }).certificate)
    const said = trustEntries(
      three.map((each) => entry(each)),
      facts(),
    ).flatMap(({ findings }) => findings)
    expect(said.map(({ code, text }) => `${code}: ${text}`)).toEqual(
      three.map(() => 'same_name: 2 other entries have its name.'),
    )
    const members = trustEntries(
      three.map((each) => entry(each, { type: 'server', name: 'server1' })),
      facts(),
    )
    expect(members.flatMap(({ findings }) => findings)).toEqual([])
  })

  test('that have one key are one client twice', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
    const [old, renewed] = [1, 2].map(() =>
      writeCertificate({
        subject: 'jo',
        issuer: 'jo',
        subjectKey: privateKey,
        issuerKey: privateKey,
        serial: randomBytes(16),
        ...validFor(100),
      }),
    )
    const said = trustEntries([entry(old!, { name: 'laptop' }), entry(renewed!, { name: 'desktop' })], facts())
    expect(said.map(({ name, findings }) => [name, findings.map(({ text }) => text)])).toEqual([
      ['desktop', ['It has the key of another entry, laptop.']],
      ['laptop', ['It has the key of another entry, desktop.']],
    ])
  })

  test('stand by name, as people count', () => {
    const named = ['client10', 'client2', 'Anna'].map((name) =>
      entry(selfSigned({ commonName: name }).certificate, { name }),
    )
    expect(trustEntries(named, facts()).map(({ name }) => name)).toEqual(['Anna', 'client2', 'client10'])
  })

  test('where the console keeps projects apart, those of other projects are not there', () => {
    const of = (name: string, more: Partial<IncusTrustEntry>) =>
      entry(selfSigned({ commonName: name }).certificate, { name, ...more })
    const all = [
      of('everything', {}),
      of('both', { restricted: true, projects: ['web', 'secret'] }),
      of('other', { restricted: true, projects: ['secret'] }),
    ]
    const seen = trustEntries(all, facts({ projects: ['web'] }))
    expect(seen.map(({ name, projects }) => [name, projects])).toEqual([
      ['both', ['web']],
      ['everything', []],
    ])
  })
})
