import { createPrivateKey, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto'
import type { CertificateCheck } from '@malleus/shared/api/certificate-replacement.ts'
import { describe, expect, test } from 'vitest'
import type { CertificateRequest } from '../../testing/certificate-authority.ts'
import { createCertificateAuthority, selfSigned } from '../../testing/certificate-authority.ts'
import { writeCertificate } from '../lib/x509-writer.ts'
import { namesNeeded } from './names-needed.ts'
import type { MemberFacts, PreflightFacts } from './preflight.ts'
import { isRefused, preflight } from './preflight.ts'
import { readBundle } from './read-bundle.ts'

const DAY_MS = 86_400_000
const now = Date.UTC(2026, 10, 22)
const at = (days: number) => new Date(now + days * DAY_MS)
const validity = { notBefore: at(-1), notAfter: at(90) }
const authority = createCertificateAuthority('Example authority', { notBefore: at(-100), notAfter: at(1_000) })
const good: CertificateRequest = {
  commonName: 'incus.example',
  names: ['incus.example', '10.0.0.1', '10.0.0.2'],
  usages: ['server'],
  ...validity,
}
const present = selfSigned({ commonName: 'present', names: ['incus.example'], notBefore: at(-30), notAfter: at(60) })
const anchor = { kind: 'fingerprints', pins: [] } as const

function facts(more: Partial<CertificateRequest> = {}, other: Partial<PreflightFacts> = {}): PreflightFacts {
  const issued = authority.issue({ ...good, ...more })
  return {
    bundle: readBundle(issued.certificate + authority.certificate),
    key: 'matches',
    current: new X509Certificate(present.certificate),
    publicRoots: [],
    anchor,
    authorities: [],
    needed: [],
    cluster: {
      clustered: true,
      version: '6.0.4',
      leavesBehind: false,
      databaseAvailable: true,
      members: [member('server1'), member('server2')],
    },
    now,
    ...other,
  }
}

function member(name: string, more: Partial<MemberFacts> = {}): MemberFacts {
  return { name, host: `10.0.0.${name.slice(-1)}`, standing: 'healthy', symptom: null, reported: 'Online', ...more }
}

function linesOf(id: CertificateCheck['id'], given: PreflightFacts): string[] {
  return preflight(given)
    .filter((check) => check.id === id)
    .map(({ verdict, text }) => `${verdict}: ${text}`)
}

test('a good certificate can be sent, and the only doubt is who knows the present one by its fingerprint', () => {
  const checks = preflight(facts())
  expect(isRefused(checks)).toBe(false)
  expect(checks.filter(({ verdict }) => verdict !== 'can').map(({ id }) => id)).toEqual(['clients'])
})

test.each([
  ['matches', /^can: The private key belongs/],
  ['differs', /^cannot: The private key belongs to another/],
  ['missing', /^cannot: Its private key is missing/],
] as const)('a key that %s', (key, line) => {
  expect(linesOf('key-matches', facts({}, { key }))).toEqual([expect.stringMatching(line)])
})

test.each<[string, CertificateRequest['usages'], RegExp]>([
  ['for servers', ['server'], /^can: It may be used by servers/],
  ['for both', ['server', 'client'], /^can:/],
  ['for anything', [], /^can: It says nothing/],
  ['for clients alone', ['client'], /^cannot: .*serverAuth is missing/],
])('a certificate %s', (_, usages, line) => {
  expect(linesOf('usage', facts({ usages: usages ?? [] }))).toEqual([expect.stringMatching(line)])
})

test.each<[string, string[], RegExp]>([
  ['a DNS name', ['incus.example'], /^can: It names incus.example/],
  ['a wildcard', ['*.example'], /^can:/],
  ['the addresses of all servers', ['10.0.0.1', '10.0.0.2'], /^can-but: .*joins under another address/],
  ['one address', ['10.0.0.1'], /^cannot: It has no DNS name/],
  ['no name at all', [], /^cannot: It has no DNS name/],
])('a certificate with %s', (_, names, line) => {
  expect(linesOf('dns-name', facts({ names }))).toEqual([expect.stringMatching(line)])
})

describe('dates', () => {
  test.each<[string, Date, Date, RegExp]>([
    ['90 days left', at(-1), at(90), /^can: It is valid until 2027-02-20/],
    ['expired', at(-90), at(-3), /^cannot: It has expired 3 days ago/],
    ['expired this moment', at(-90), at(0), /^cannot: It has expired/],
    ['not valid yet', at(1), at(90), /^cannot: It is not valid before 2026-11-23/],
    ['a week left', at(-80), at(7), /^can-but: It expires in 7 days/],
    ['less than the present one', at(-1), at(45), /^can-but: .*before the present one does/],
  ])('%s', (_, notBefore, notAfter, line) => {
    expect(linesOf('dates', facts({ notBefore, notAfter }))).toEqual([expect.stringMatching(line)])
  })

  test.each([
    ['has expired', at(-1), /^cannot: Short authority, which signed it, has expired/],
    ['expires first', at(45), /^can-but: Short authority, which signed it, expires before/],
  ])('an authority that %s', (_, notAfter, line) => {
    const short = createCertificateAuthority('Short authority', { notBefore: at(-100), notAfter })
    const bundle = readBundle(short.issue(good).certificate + short.certificate)
    expect(linesOf('dates', facts({}, { bundle }))).toEqual([expect.stringMatching(line)])
  })
})

describe('the chain', () => {
  const issued = authority.issue(good)
  const root = new X509Certificate(authority.certificate)
  test.each<[string, string, Partial<PreflightFacts>, RegExp[]]>([
    ['with its root', issued.certificate + authority.certificate, {}, [/^can: .*up to Example authority/]],
    ['in another order', authority.certificate + issued.certificate, {}, [/^can: .*They are put in order/]],
    ['without what signed it', issued.certificate, {}, [/^can-but: The chain ends at Example authority/]],
    ['to a root that everybody has', issued.certificate, { publicRoots: [root] }, [/^can: The chain is complete/]],
    ['to the authority of this console', issued.certificate, { authorities: [root] }, [/^can: The chain is complete/]],
    ['of one that signed itself', selfSigned(good).certificate, {}, [/^can-but: It is signed by itself/]],
    [
      'with a stranger in it',
      issued.certificate + authority.certificate + present.certificate,
      {},
      [/^can:/, /^can-but: present did not sign it/],
    ],
  ])('%s', (_, text, more, lines) => {
    expect(linesOf('chain', facts({}, { bundle: readBundle(text), ...more }))).toEqual(
      lines.map((line): unknown => expect.stringMatching(line)),
    )
  })
})

test.each<[string, string, RegExp]>([
  ['P-256', ofKey('ec', { namedCurve: 'P-256' }), /^can: Its key is ECDSA P-256/],
  ['P-384', ofKey('ec', { namedCurve: 'P-384' }), /^can: Its key is ECDSA P-384/],
  ['secp256k1', ofKey('ec', { namedCurve: 'secp256k1' }), /^cannot: .*curve/],
  ['RSA 2048', ofKey('rsa', { modulusLength: 2048 }), /^can: Its key is RSA 2048/],
  ['RSA 1024', ofKey('rsa', { modulusLength: 1024 }), /^cannot: .*too short/],
  ['Ed25519', ofKey('ed25519'), /^can-but: .*browsers/],
  ['Ed448', ofKey('ed448'), /^cannot: .*Ed448/],
])('a key of %s', (_, certificate, line) => {
  expect(linesOf('key', facts({}, { bundle: readBundle(certificate) }))).toEqual([expect.stringMatching(line)])
})

test('each name that is in use and not covered is told with whom it breaks for', () => {
  const needed = namesNeeded({
    anchor,
    access: [
      { name: 'incus.example', usedFor: 'clients that use this name' },
      { name: 'lb.example', usedFor: 'clients that come through the balancer' },
    ],
    members: ['1', '3'].map((number) => ({
      name: `server${number}`,
      endpoint: { host: `10.0.0.${number}`, port: 8443 },
    })),
    oidc: true,
  })
  expect(linesOf('names', facts({}, { needed }))).toEqual([
    expect.stringMatching(/^can-but: .*lb.example, for clients that come through the balancer\..*sign in to Incus/),
    expect.stringMatching(/^can-but: .*10.0.0.3, for clients that connect to server3 directly\./),
  ])
  expect(linesOf('names', facts({}, { needed: needed.slice(0, 1) }))).toEqual([
    expect.stringMatching(/^can: It covers/),
  ])
})

describe('this console', () => {
  const root = new X509Certificate(authority.certificate)
  const byAuthority = { kind: 'ca', certificates: authority.certificate, serverName: 'incus.example' } as const
  const other = createCertificateAuthority('Other')
  test.each<[string, Partial<PreflightFacts>, RegExp]>([
    ['knows it by its fingerprint', {}, /^can: This console accepts it before it is sent/],
    ['knows it by its authority', { anchor: byAuthority, authorities: [root] }, /^can: .*authority and name/],
    [
      'does not know its authority',
      { anchor: byAuthority, authorities: [new X509Certificate(other.certificate)] },
      /^cannot: .*the authority Other, which did not sign it/,
    ],
    [
      'checks another name',
      { anchor: { ...byAuthority, serverName: 'other.example' }, authorities: [root] },
      /^cannot: .*checks the name other.example/,
    ],
  ])('%s', (_, more, line) => {
    expect(linesOf('console', facts({}, more))).toEqual([expect.stringMatching(line)])
  })
})

test('the one that is there already is no replacement for anybody', () => {
  const given = facts({}, { bundle: readBundle(present.certificate) })
  expect(linesOf('same', given)).toEqual([expect.stringMatching(/^can-but: It is the one/)])
  expect(linesOf('clients', given)).toEqual([])
})

describe('servers', () => {
  const six = { clustered: true, version: '6.0.4', leavesBehind: false, databaseAvailable: true, members: [] }
  const seven = { ...six, version: '7.0.2', leavesBehind: true }
  const offline = member('server2', { reported: 'Offline', standing: 'ejected', symptom: 'unreachable' })
  const out = (symptom: MemberFacts['symptom']) => member('server2', { standing: 'ejected', symptom })
  test.each<[string, PreflightFacts['cluster'], RegExp]>([
    ['all answer', { ...six, members: [member('server1'), member('server2')] }, /^can: All 2 servers answer/],
    ['the only one answers', { ...six, members: [member('server1')] }, /^can: The server answers/],
    ['not clustered', { ...six, clustered: false }, /^cannot: This server is not clustered/],
    ['no database', { ...six, databaseAvailable: false }, /^cannot: The cluster database does not answer/],
    ['offline, 6.0', { ...six, members: [offline] }, /^cannot: server2 is offline: Incus 6.0.4 refuses, and puts back/],
    ['offline, 7.0, new key', { ...seven, members: [offline] }, /^cannot: .*refuses a certificate with a new key/],
    ['refusing', { ...six, members: [out('refusing')] }, /^cannot: server2 refuses connections: .*put back/],
    ['stuck', { ...six, members: [out('stuck')] }, /^cannot: server2 does not answer, and the cluster counts on it/],
    ['stuck, 7.0', { ...seven, members: [out('stuck')] }, /^cannot: server2 does not answer/],
    ['cut off', { ...six, members: [out('unreachable')] }, /^cannot: server2 does not answer/],
    [
      'in doubt',
      { ...six, members: [member('server2', { standing: 'suspect', symptom: 'stuck' })] },
      /^can-but: .*may not/,
    ],
    ['slow', { ...six, members: [member('server2', { standing: 'suspect', symptom: 'slow' })] }, /^can-but: .*late/],
    [
      'another certificate',
      { ...six, members: [member('server2', { standing: 'untrusted' })] },
      /^can-but: .*not the cluster's/,
    ],
    ['nothing known', { ...six, members: [member('server2', { standing: 'unknown' })] }, /^can-but: Nothing is known/],
    [
      'a version that is not known',
      { ...six, version: null, members: [offline] },
      /^cannot: server2 is offline: Incus refuses/,
    ],
  ])('%s', (_, cluster, line) => {
    expect(linesOf('servers', facts({}, { cluster }))).toEqual([expect.stringMatching(line)])
  })

  test('one that is offline is left behind by 7.0 when the key stays the same', () => {
    const bundle = readBundle(present.certificate)
    expect(linesOf('servers', facts({}, { bundle, cluster: { ...seven, members: [offline] } }))).toEqual([
      expect.stringMatching(/^can-but: server2 is offline: Incus 7.0.2 leaves it behind/),
    ])
  })
})

/** A certificate for that kind of key, signed by the authority. */
function ofKey(
  kind: 'ec' | 'rsa' | 'ed25519' | 'ed448',
  options: { namedCurve?: string; modulusLength?: number } = {},
): string {
  const { publicKey } = pairOf(kind, options)
  return writeCertificate({
    subject: 'incus.example',
    issuer: 'Example authority',
    subjectKey: publicKey,
    issuerKey: createPrivateKey(authority.key),
    serial: randomBytes(16),
    ...validity,
    names: ['incus.example'],
    usages: ['server'],
  })
}

function pairOf(kind: 'ec' | 'rsa' | 'ed25519' | 'ed448', { namedCurve = '', modulusLength = 0 }) {
  switch (kind) {
    case 'ec':
      return generateKeyPairSync('ec', { namedCurve })
    case 'rsa':
      return generateKeyPairSync('rsa', { modulusLength })
    case 'ed25519':
      return generateKeyPairSync('ed25519')
    case 'ed448':
      return generateKeyPairSync('ed448')
  }
}
