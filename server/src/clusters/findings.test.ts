import { describe, expect, test } from 'vitest'
import type { ConnectionFacts } from './findings.ts'
import { connectionFindings } from './findings.ts'

const now = Date.UTC(2026, 10, 22)
const day = 86_400_000
const identity = { restricted: false, type: 'client', projects: [], expiresAt: now + 400 * day }
const calm: ConnectionFacts = {
  mode: 'bearer',
  identity: { ...identity, restricted: null },
  refusals: [],
  withoutOidc: [],
  untrusted: [],
  config: { 'oidc.issuer': 'https://idp', 'oidc.audience': 'incus', 'oidc.claim': 'sub' },
  audience: 'incus',
  certificateExpiresAt: now + 400 * day,
  discoveryFailure: null,
}

describe('what an administrator should know', () => {
  test.each<[string, Partial<ConnectionFacts>, string[]]>([
    ['nothing, when all is well', {}, []],
    ['a certificate that ends in a month', { certificateExpiresAt: now + 30 * day }, []],
    ['in less', { certificateExpiresAt: now + 29 * day }, ['warning certificate_expires']],
    ['in less than a week', { certificateExpiresAt: now + 6 * day }, ['bad certificate_expires']],
    ['a certificate that has ended', { certificateExpiresAt: now - 1 }, ['bad certificate_expired']],
    [
      "the console's own certificate ends",
      { identity: { ...identity, restricted: null, expiresAt: now + 3 * day } },
      ['bad identity_expires'],
    ],
    ['an impostor', { untrusted: ['server2'] }, ['bad wrong_certificate']],
    ['no identity', { identity: null }, ['info no_identity']],
    ['an identity that may do everything', { identity }, ['info identity_unrestricted']],
    [
      'a restricted one, which is fine for tokens',
      { identity: { ...identity, restricted: true, projects: ['web'] } },
      ['info identity_restricted'],
    ],
    [
      'a restricted one that has to carry what people do',
      { mode: 'certificate', identity: { ...identity, restricted: true } },
      ['warning identity_restricted'],
    ],
    [
      "a server's certificate",
      { identity: { ...identity, restricted: null, type: 'server' } },
      ['bad identity_is_server'],
    ],
    [
      'an identity that a member refuses',
      { refusals: [{ member: 'server1', message: 'not authorized' }] },
      ['bad identity_refused'],
    ],
    ['a member without OpenID Connect', { withoutOidc: ['server3'] }, ['warning member_without_oidc']],
    ['names that are email addresses', { config: { 'oidc.issuer': 'https://idp' } }, ['warning oidc_claim_unset']],
    ['tokens for another audience', { audience: 'other' }, ['bad audience_mismatch']],
    ['a configuration that may not be seen tells nothing', { config: {} }, []],
    ['nor does one that was not read', { config: null }, []],
    [
      'nobody needs tokens where a certificate carries requests',
      { mode: 'certificate', withoutOidc: ['server3'], config: { 'oidc.issuer': 'x' } },
      [],
    ],
    ['a list of servers that cannot be read', { discoveryFailure: 'not authorized' }, ['warning discovery_failed']],
  ])('%s', (_, facts, expected) => {
    const found = connectionFindings({ ...calm, ...facts }, now)
    expect(found.map(({ severity, code }) => `${severity} ${code}`)).toEqual(expected)
    for (const { text } of found) expect(text).toMatch(/^[A-Z"s].*[.]$/)
  })
})
