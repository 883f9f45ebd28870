import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readAccessLine } from './access-line.ts'

const user = '37a3ee303224115fac6347e1304d3e2acc8464cedaa10fb9c3e063865268ed30'
const timestamp = '2026-11-22T18:04:17.655517598Z'

function logging(message: unknown, context: unknown, rest: Record<string, unknown> = {}): unknown {
  return { type: 'logging', timestamp, location: 'server1', metadata: { level: 'debug', message, context }, ...rest }
}

const handled = {
  ip: '10.77.0.1:40134',
  method: 'POST',
  protocol: 'tls',
  url: '/1.0/instances/c1/exec?project=web',
  username: user,
}

describe('a line of the request log, as Incus 6.0.4 and 7.0.2 write it', () => {
  test('says who asked for what, from where', () => {
    expect(readAccessLine(logging('Handling API request', handled), 'server1')).toEqual({
      kind: 'handled',
      id: `server1@${timestamp}`,
      at: Date.parse(timestamp),
      member: 'server1',
      user: { name: user, protocol: 'tls' },
      address: '10.77.0.1',
      method: 'POST',
      asked: {
        route: '/1.0/instances/{}/exec',
        path: '/1.0/instances/c1/exec',
        object: 'c1',
        project: 'web',
        placement: null,
        query: ['project'],
      },
    })
  })

  test.each([
    [{ ...handled, ip: '@', protocol: 'unix', username: 'root' }, { name: 'root', protocol: 'unix' }, null],
    [
      { ...handled, ip: '[fd00::7]:4711', protocol: 'oidc', username: 'jo@example.net' },
      { name: 'jo@example.net', protocol: 'oidc' },
      'fd00::7',
    ],
  ])('names people by whatever Incus knows them: %j', (context, who, address) => {
    const line = readAccessLine(logging('Handling API request', context), 'server1')
    expect(line).toMatchObject({ user: who, address })
  })

  test.each([
    ['Rejecting request from untrusted client', { ip: '10.77.0.9:42158' }, 'refused'],
    ['Rejecting remote internal API request', { ip: '10.77.0.9:42174' }, 'refused'],
    ['Sending top level 404', { method: 'GET', remote: '10.77.0.9:42206', url: '/1.0/nosuch' }, 'unknown-path'],
    ['Allowing untrusted GET', { ip: '10.77.0.9:42206', url: '/1.0' }, 'open'],
  ])('says whom it does not know: %s', (message, context, kind) => {
    const line = readAccessLine(logging(message, context), 'server1')
    expect(line).toMatchObject({ kind, user: null, address: '10.77.0.9' })
  })

  test('of a member that is alone has no place', () => {
    const line = logging('Handling API request', handled, { location: 'none' })
    expect(readAccessLine(line, 'server1')).toMatchObject({ member: 'server1' })
  })
})

describe('what is dropped', () => {
  test.each([
    [
      'what members ask of each other',
      logging('Handling API request', {
        fingerprint: user,
        ip: '10.77.0.13:35398',
        method: 'GET',
        protocol: 'cluster',
        url: '/1.0/resources?target=server1',
      }),
    ],
    [
      'what another member says',
      logging('Rejecting request from untrusted client', { ip: '10.0.0.1:1' }, { location: 'server2' }),
    ],
    ['the body of a change', logging('\t\t"cluster_certificate_key": "-----BEGIN PRIVATE KEY-----', {})],
    ['an address that is none', logging('Rejecting request from untrusted client', { ip: 'secret' })],
    ['a method that is none', logging('Handling API request', { ...handled, method: 'BREW' })],
    ['a fingerprint that is none', logging('Handling API request', { ...handled, username: 'secret' })],
    ['a way to sign in that nobody knows', logging('Handling API request', { ...handled, protocol: 'magic' })],
    ['a longer message', logging('Handling API request with a secret', handled)],
    ['another kind of event', { ...Object(logging('Handling API request', handled)), type: 'lifecycle' }],
    ['a time that is none', logging('Handling API request', handled, { timestamp: 'secret' })],
    ['nothing at all', null],
  ])('%s', (_, event) => {
    expect(readAccessLine(event, 'server1')).toBeNull()
  })
})

describe('T-canary', () => {
  test('whatever else is in a logging event, nothing of it is in the line', () => {
    const canary = 'CANARY'
    const anything = fc.oneof(fc.constant(canary), fc.constant({ key: canary }), fc.constant([canary]))
    const places = fc.record(
      {
        ip: fc.constantFrom(handled.ip, canary),
        method: fc.constantFrom('POST', canary),
        protocol: fc.constantFrom('tls', canary),
        url: fc.constantFrom(
          '/1.0/certificates',
          `/1.0/images/abc/export?secret=${canary}`,
          `/x/${canary}`,
          `/1.0/${canary}`,
          `/1.0/operations/1/websocket?secret=${canary}&${canary}=1`,
        ),
        username: fc.constantFrom(user, canary),
        remote: fc.constantFrom(handled.ip, canary),
        body: anything,
        cluster_certificate_key: anything,
      },
      { requiredKeys: [] },
    )
    const messages = fc.constantFrom(
      'Handling API request',
      'Allowing untrusted GET',
      `Allowing untrusted ${canary}`,
      'Rejecting request from untrusted client',
      'Sending top level 404',
      canary,
    )
    fc.assert(
      fc.property(messages, places, anything, (message, context, more) => {
        const event = logging(message, context, { more, project: canary })
        expect(JSON.stringify(readAccessLine(event, 'server1'))).not.toContain(canary)
      }),
      { numRuns: 2_000 },
    )
  })
})
