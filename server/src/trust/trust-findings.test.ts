import { describe, expect, test } from 'vitest'
import { authorizationOf, trustFindings } from './trust-findings.ts'
import type { AuthorizationFacts } from './trust-findings.ts'

const plain = { 'core.https_address': ':8443', 'core.remote_token_expiry': '1H' }
const oidc = { ...plain, 'oidc.issuer': 'https://idp.example', 'oidc.client.id': 'incus', 'oidc.claim': 'sub' }
const routing = ['authorization_client_routing']

function facts(config: Record<string, unknown>, more: Partial<AuthorizationFacts> = {}): AuthorizationFacts {
  return { cluster: 'prod-eu', mode: 'bearer', config, extensions: [], own: null, ...more }
}

function codes(config: Record<string, unknown>, more: Partial<AuthorizationFacts> = {}): string[] {
  return trustFindings(facts(config, more)).map(({ severity, code }) => `${severity} ${code}`)
}

describe('who may do what', () => {
  test.each<[string, Record<string, unknown>, readonly string[], string[]]>([
    ['nothing is set', plain, [], []],
    ['the configuration may not be seen', {}, [], []],
    ['people sign in and nothing decides', oidc, [], ['bad oidc_everyone_admin']],
    ['OpenFGA decides', { ...oidc, 'openfga.api.url': 'https://fga' }, [], []],
    ['a scriptlet decides', { ...oidc, 'authorization.scriptlet': 'def authorize…' }, [], []],
    [
      'a scriptlet is loaded and people are routed past it',
      { ...oidc, 'authorization.scriptlet': 'def' },
      routing,
      ['bad oidc_everyone_admin'],
    ],
    [
      'a scriptlet is loaded and people are routed to it',
      { ...oidc, 'authorization.scriptlet': 'def', 'authorization.client.oidc': 'scriptlet' },
      routing,
      [],
    ],
    ['people are denied altogether', { ...oidc, 'authorization.client.oidc': 'deny' }, routing, []],
    [
      'people are named by their email',
      { ...oidc, 'oidc.claim': '', 'openfga.api.url': 'https://fga' },
      [],
      ['warning oidc_claim_unset'],
    ],
    ['metrics are open', { ...plain, 'core.metrics_authentication': 'false' }, [], ['warning metrics_open']],
    ['metrics are closed', { ...plain, 'core.metrics_authentication': 'true' }, [], []],
    ['tokens never end', { 'core.https_address': ':8443' }, [], ['warning tokens_never_expire']],
    ['another site may call', { ...plain, 'core.https_allowed_origin': 'https://x' }, [], ['warning allowed_origin']],
    [
      'another site may call as whoever looks at it',
      { ...plain, 'core.https_allowed_origin': '*', 'core.https_allowed_credentials': 'true' },
      [],
      ['bad allowed_origin'],
    ],
    ['an authority vouches', { ...plain, 'core.trust_ca_certificates': 'true' }, [], ['warning ca_trusted']],
  ])('%s', (_, config, extensions, expected) => {
    expect(codes(config, { extensions })).toEqual(expected)
  })

  test.each([
    ['unrestricted', { restricted: false, projects: [], type: 'client' }, 'info identity_unrestricted'],
    ['restricted', { restricted: true, projects: ['web'], type: 'client' }, 'info identity_restricted'],
    ['a server', { restricted: false, projects: [], type: 'server' }, 'bad identity_is_server'],
  ] as const)("the console's own identity that is %s says what it may do", (_, own, expected) => {
    expect(codes({}, { own: { ...own, projects: [...own.projects] } })).toEqual([expected])
  })

  test('the worst comes first', () => {
    const config = { 'oidc.issuer': 'https://idp.example', 'oidc.client.id': 'incus' }
    const own = { restricted: false, projects: [], type: 'client' } as const
    expect(codes(config, { own: { ...own, projects: [] } })).toEqual([
      'bad oidc_everyone_admin',
      'warning oidc_claim_unset',
      'warning tokens_never_expire',
      'info identity_unrestricted',
    ])
  })

  test('where one key puts it right, the key, the difference and the command are told', () => {
    const [finding] = trustFindings(facts({ ...plain, 'core.https_allowed_origin': 'https://x' }))
    expect(finding).toMatchObject({
      setting: { key: 'core.https_allowed_origin', from: 'https://x', to: '' },
      command: 'incus config unset prod-eu: core.https_allowed_origin',
    })
    const [route] = trustFindings(facts({ ...oidc, 'authorization.scriptlet': 'def' }, { extensions: routing }))
    expect(route).toMatchObject({
      setting: { key: 'authorization.client.oidc', from: null, to: 'scriptlet' },
      command: 'incus config set prod-eu: authorization.client.oidc=scriptlet',
    })
  })
})

describe('the driver in force', () => {
  test.each<[string, Record<string, unknown>, string[]]>([
    ['certificates alone', plain, ['tls']],
    ['OpenFGA as 6.0 has it', { ...plain, 'openfga.api.url': 'https://fga' }, ['tls', 'openfga']],
    ['OpenFGA as later versions have it', { ...plain, 'authorization.openfga.api.url': 'x' }, ['tls', 'openfga']],
    ['a scriptlet', { ...plain, 'authorization.scriptlet': 'def' }, ['tls', 'scriptlet']],
  ])('%s', (_, config, drivers) => {
    expect(authorizationOf(facts(config))).toMatchObject({ drivers, routing: null })
  })

  test('with routes, what is not configured is as Incus has it', () => {
    const config = { ...plain, 'authorization.client.tls': 'deny' }
    expect(authorizationOf(facts(config, { extensions: routing }))?.routing).toEqual({
      unix: 'allow',
      tls: 'deny',
      'tls-restricted': 'tls',
      oidc: 'allow',
      default: 'deny',
    })
  })

  test('is not known where the configuration may not be seen', () => {
    expect(authorizationOf(facts({}))).toBeNull()
  })
})
