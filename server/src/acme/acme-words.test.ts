import type { AcmeSettings } from '@malleus/shared/api/acme.ts'
import type { Operation } from '@malleus/shared/api/operations.ts'
import { describe, expect, test } from 'vitest'
import { selfSigned } from '../../testing/certificate-authority.ts'
import { changesBack, changesTo, changesToOrderAgain, settingsFrom } from './acme-settings.ts'
import type { AcmeFacts } from './acme-view.ts'
import { acmeView } from './acme-view.ts'
import type { ChallengeAnswer } from './challenge-probe.ts'
import type { CheckedAgainst } from './check-acme.ts'
import { checkSettings } from './check-acme.ts'
import { judgeChallenge } from './judge-challenge.ts'
import { orderFailure } from './lego-words.ts'
import { renewalOf } from './renewal.ts'

const day = 86_400_000
const now = Date.UTC(2026, 10, 22)

const http: AcmeSettings = {
  domains: ['incus.example.net'],
  email: 'a@example.net',
  directory: 'https://acme.example.net/dir',
  agreed: true,
  challenge: 'HTTP-01',
  httpPort: ':80',
  provider: '',
  environment: null,
  resolvers: '',
  account: null,
}
const dns: AcmeSettings = {
  ...http,
  challenge: 'DNS-01',
  provider: 'hetzner',
  environment: { $redacted: 'm' },
  resolvers: '9.9.9.9',
  account: { keyId: 'kid', hmac: { $redacted: 'h' } },
}
/** As Incus shows what was written: without what is in force by itself. */
const written = (settings: AcmeSettings) =>
  Object.fromEntries(
    Object.entries(changesTo(settings)).flatMap(([key, value]) =>
      value === null || value === 'HTTP-01' || value === ':80' ? [] : [[key, value]],
    ),
  )

describe('settings', () => {
  test.each([
    ['with HTTP-01', http],
    ['with DNS-01 and an account', dns],
    ['for several domains', { ...dns, domains: ['a.example.net', '*.b.example.net'] }],
  ])('%s are read as they were written', (_, settings) => expect(settingsFrom(written(settings))).toEqual(settings))

  test('that were never made are none', () => expect(settingsFrom({ 'core.https_address': 'x' })).toBeNull())

  test('are all cleared when ACME is turned off', () => {
    expect(Object.values(changesTo(null)).every((value) => value === null)).toBe(true)
    expect(Object.keys(changesTo(null)).toSorted()).toEqual(Object.keys(changesTo(dns)).toSorted())
  })

  test('are put back to what they were', () => {
    expect(changesBack(changesTo(http), { 'acme.email': 'old@example.net', 'acme.domain': '' })).toMatchObject({
      'acme.email': 'old@example.net',
      'acme.domain': null,
      'acme.ca_url': null,
    })
  })

  test.each([
    ['HTTP-01', {}, { 'acme.provider.resolvers': '127.0.0.1' }],
    ['HTTP-01', { 'acme.provider.resolvers': '127.0.0.1' }, { 'acme.provider.resolvers': null }],
    ['HTTP-01', { 'acme.provider.resolvers': '9.9.9.9' }, null],
    [
      'DNS-01',
      { 'acme.challenge': 'DNS-01', 'acme.provider.resolvers': '9.9.9.9' },
      { 'acme.http.port': '127.0.0.1:80' },
    ],
    ['DNS-01', { 'acme.challenge': 'DNS-01', 'acme.http.port': '127.0.0.1:80' }, { 'acme.http.port': null }],
  ])('are changed for another order where it means nothing: %s %o', (_, config, changes) => {
    expect(changesToOrderAgain(config)).toEqual(changes)
  })

  test('show nothing of what was changed for another order', () => {
    expect(settingsFrom({ ...written(http), 'acme.provider.resolvers': '127.0.0.1' })).toEqual(http)
    expect(settingsFrom({ ...written(dns), 'acme.http.port': '127.0.0.1:80' })).toEqual(dns)
  })
})

describe('the next renewal', () => {
  const life = { validFrom: now, expiresAt: now + 100 * day }
  test('is 30 days before the end up to 7.0.1', () => {
    expect(renewalOf(['acme'], life).at).toBe(new Date(now + 70 * day).toISOString())
  })
  test('is after four fifths of the life in later ones', () => {
    expect(renewalOf(['acme', 'acme_eab'], life).at).toBe(new Date(now + 80 * day).toISOString())
  })
  test('is not known before a certificate is', () => expect(renewalOf([], null).at).toBeNull())
})

describe('what is said of ACME', () => {
  const certificate = (names: readonly string[], from: number, to: number) =>
    selfSigned({ commonName: 'x', names, notBefore: new Date(now + from * day), notAfter: new Date(now + to * day) })
      .certificate
  const good = certificate(['incus.example.net'], -10, 80)
  const facts: AcmeFacts = {
    freshness: { kind: 'fresh', asOf: new Date(now).toISOString() },
    config: written(http),
    extensions: ['acme', 'acme_dns01'],
    certificate: good,
    renewals: [],
    warnings: [],
    secrets: ['canary-of-a-zone'],
    order: null,
    leader: 'server1',
    now,
  }
  const failed = {
    status: 'failure',
    error: 'it broke',
    createdAt: '2026-11-21T00:00:00.000Z',
    endedAt: null,
    location: 'server1',
  }

  test.each([
    ['on', {}],
    ['off', { config: {} }],
    ['hidden', { config: 'hidden' }],
    ['unknown', { config: 'unknown' }],
    ['incomplete', { config: { ...written(http), 'acme.agree_tos': 'false' } }],
    ['incomplete', { config: { ...written(http), 'acme.email': '' } }],
    ['waiting', { certificate: certificate(['other.example.net'], -10, 80) }],
    ['waiting', { certificate: null }],
    ['late', { certificate: certificate(['incus.example.net'], -70, 20) }],
    ['on', { certificate: certificate(['incus.example.net'], -60, 29) }],
    ['failing', { renewals: [failed as unknown as Operation] }],
  ] as const)('is %s for %o', (state, other) => expect(acmeView({ ...facts, ...other }).state).toBe(state))

  test('repeats no secret that a program told', () => {
    const told = { ...failed, error: 'refused canary-of-a-zone' } as unknown as Operation
    expect(acmeView({ ...facts, renewals: [told] }).last?.error).toBe('refused …')
  })

  test('has a date of the next renewal only while one will come', () => {
    expect(acmeView(facts).renewal.at).toBe(new Date(now + 50 * day).toISOString())
    expect(acmeView({ ...facts, config: {} }).renewal.at).toBeNull()
  })

  test('names what was shown, so that a change can be refused', () => {
    expect(acmeView(facts).shown).toMatchObject({ 'acme.email': 'a@example.net', 'acme.provider': null })
  })
})

describe('a failed order', () => {
  test.each([
    ['exec: "lego": executable file not found in $PATH', 'apt install lego', /missing on the server/],
    ['acme: error: 429 :: urn:ietf:params:acme:error:rateLimited :: too many', null, /no more orders/],
    ['acme: error: 400 :: urn:ietf:params:acme:error:connection :: Fetching', null, /challenge/],
    ['acme: error: 403 :: urn:ietf:params:acme:error:unauthorized :: Invalid response from', null, /challenge/],
    ['acme: error: 400 :: urn:ietf:params:acme:error:externalAccountRequired', null, /account/],
    ['unrecognized DNS provider: nowhere', 'lego dnshelp', /provider/],
    ['tls: x509: certificate signed by unknown authority', null, /does not believe/],
    ['dial tcp 1.2.3.4:443: i/o timeout', null, /could not reach the authority/],
    ['Unable to connect to: 10.0.0.3:8443 ([dial tcp])', null, /every server/],
  ])('is explained: %s', (text, command, words) => {
    const { advice } = orderFailure(`Failed to run lego command: ${text}`)
    expect(advice?.text).toMatch(words)
    expect(advice?.command).toBe(command)
  })

  test('is told by what the program says of the domains, also when the middle of it is missing', () => {
    const said = `Failed to run lego command: Failed to run: lego --accept-tos … ould not obtain certificates:
	error: one or more domains had a problem:
[incus.lab.test] acme: error: 400 :: urn:ietf:params:acme:error:connection :: Get "http://incus.lab.test:80/": refused)`
    expect(orderFailure(said)).toMatchObject({
      error: expect.stringMatching(/^\[incus.lab.test\] acme: error: 400/),
      advice: { command: null },
    })
  })

  test('is told by its last words', () => {
    expect(orderFailure('first\n2026/11/22 18:08:56 it ended like this\n').error).toBe('it ended like this')
    expect(orderFailure('').advice).toBeNull()
  })
})

describe('what answers at the place of a challenge', () => {
  const answer = (status: number, body: unknown, location: string | null = null): ChallengeAnswer => ({
    kind: 'answer',
    address: '192.0.2.1',
    status,
    location,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  const incus = (domain: string) =>
    answer(500, {
      type: 'error',
      error_code: 500,
      error: `Get "http://${domain}/.well-known/acme-challenge/x": dial tcp 127.0.0.1:80: connect: connection refused`,
    })

  test.each([
    ['a server with a domain of this cluster', incus('a.example.net'), ['a.example.net'], 'can'],
    ['a server without a domain, as this cluster has none', incus(''), [], 'can-but'],
    ['a server of another cluster', incus('b.example.net'), ['a.example.net'], 'cannot'],
    ['a server without a domain, while this cluster has one', incus(''), ['a.example.net'], 'cannot'],
    ['a page of something else', answer(404, '<html>'), ['a.example.net'], 'cannot'],
    ['an answer of Incus to something else', answer(404, { type: 'error', error: 'not found' }), [], 'cannot'],
    ['a redirect', answer(301, '', 'https://a.example.net/'), [], 'can-but'],
    ['nobody', { kind: 'no-answer', address: '192.0.2.1', why: 'ECONNREFUSED' }, [], 'cannot'],
    ['an address that is not contacted', { kind: 'not-allowed', address: '127.0.0.1' }, [], 'can-but'],
    ['no address', { kind: 'no-address', why: 'ENOTFOUND' }, [], 'cannot'],
  ] as const)('%s', (_, what, configured, verdict) => {
    expect(judgeChallenge('a.example.net', [what], configured).verdict).toBe(verdict)
  })

  test('is as good as the worst of all addresses', () => {
    const nobody = { kind: 'no-answer', address: '192.0.2.2', why: 'ECONNREFUSED' } as const
    expect(judgeChallenge('a', [incus('a'), nobody], ['a']).verdict).toBe('cannot')
    expect(judgeChallenge('a', [], ['a']).verdict).toBe('cannot')
  })
})

describe('the check before an order', () => {
  const against: CheckedAgainst = {
    configured: [],
    can: { account: false, dns: true, severalDomains: false },
    version: '6.0.4',
    servers: [{ name: 'server1', reported: 'Online', answers: true }],
    leader: 'server1',
    follows: true,
    answers: new Map([['incus.example.net', [{ kind: 'no-address', why: 'ENOTFOUND' }]]]),
  }
  const verdictOf = (settings: AcmeSettings, what: string, other: Partial<CheckedAgainst> = {}) =>
    checkSettings(settings, { ...against, ...other }).find((line) => line.what.startsWith(what))?.verdict

  test.each([
    ['terms that are not agreed to', { ...http, agreed: false }, 'Terms', {}],
    ['several domains in an old version', { ...http, domains: ['a.example.net', 'b.example.net'] }, 'Domains', {}],
    ['a star without DNS-01', { ...http, domains: ['*.example.net'] }, 'Domains', {}],
    ['an account in an old version', dns, 'Account', {}],
    ['DNS-01 in an older one', dns, 'Challenge', { can: { account: true, dns: false, severalDomains: true } }],
    ['a server that is away', http, 'Servers', { servers: [{ name: 's', reported: 'Offline', answers: false }] }],
    ['a server that hangs', http, 'Servers', { servers: [{ name: 's', reported: 'Online', answers: false }] }],
    ['a domain without an address', http, 'Way', {}],
    ['DNS-01 without a provider', { ...dns, provider: '' }, 'Zone', {}],
    ['lines that are none', { ...dns, environment: 'TOKEN' }, 'Zone', {}],
    ['a console that would lose the cluster', http, 'Afterwards', { follows: false }],
  ] as const)('cannot: %s', (_, settings, what, other) => {
    expect(verdictOf(settings as AcmeSettings, what, other)).toBe('cannot')
  })

  test('says what shows only with the order', () => {
    expect(verdictOf(http, 'Program')).toBe('can-but')
    expect(verdictOf(dns, 'Zone')).toBe('can-but')
    expect(verdictOf({ ...dns, environment: 'A_B=c\nD=e=f' }, 'Zone')).toBe('can-but')
    expect(verdictOf(http, 'Servers')).toBe('can')
  })

  test('lets people know better what is only so as the console sees it', () => {
    const lines = checkSettings(http, against).filter(({ fromHere }) => fromHere)
    expect(lines.map(({ what }) => what)).toEqual(['Way to incus.example.net'])
  })

  test('asks for no way with DNS-01', () => expect(verdictOf(dns, 'Way')).toBeUndefined())
})
