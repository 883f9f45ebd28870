import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { withoutSecrets } from './redact.ts'

const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLWNhbmFyeQ'

describe('text without secrets', () => {
  it.each([
    ['a token', `what came was ${jwt}, which`, 'what came was [redacted], which'],
    ['an authorization', 'authorization: Bearer canary-canary-canary', 'authorization: Bearer [redacted]'],
    [
      'a cookie',
      '"cookie":"a=b; __Host-Http-sid=canary.canary; c=d"',
      '"cookie":"a=b; __Host-Http-sid=[redacted]; c=d"',
    ],
    ['who asks', 'Get "https://jo:canary@10.0.0.1/x": refused', 'Get "https://[redacted]@10.0.0.1/x": refused'],
    [
      'a secret in an address',
      'https://10.0.0.1:8443/1.0/images/f/export?project=web&secret=canary-1',
      'https://10.0.0.1:8443/1.0/images/f/export?project=web&secret=[redacted]',
    ],
    ['a token in an address', '/x?access_token=canary&a=b', '/x?access_token=[redacted]&a=b'],
    [
      'the way back from a sign-in',
      '/auth/callback?code=canary&state=canary',
      '/auth/callback?code=[redacted]&state=[redacted]',
    ],
    ['a key', '"-----BEGIN EC PRIVATE KEY-----\\ncanary\\n-----END EC PRIVATE KEY-----\\n"', '"[redacted]\\n"'],
    ['a key that was cut off', '-----BEGIN PRIVATE KEY-----\ncanary', '[redacted]'],
  ])('has no longer %s', (_, text, left) => {
    expect(withoutSecrets(text)).toBe(left)
  })

  it.each([
    'Migrating "web-07" in project "default" to "server2"',
    'the name of server1.example.net:8443 does not resolve (ENOTFOUND)',
    'The bearer of bad news',
    'mail to jo@example.net, see https://example.net/a?b=c',
    '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
  ])('is else as it was: %s', (text) => {
    expect(withoutSecrets(text)).toBe(text)
  })

  it('leaves a line of JSON one', () => {
    const tricky = fc.constantFrom(jwt, 'Bearer ', '"', '\\', '?token=', '://a@', '-----BEGIN PRIVATE KEY-----', 'x')
    fc.assert(
      fc.property(fc.array(tricky), fc.string(), (parts, rest) => {
        // Only a key that is cut off takes the rest along; it never is in a line of the log, which has it whole or not.
        const line = JSON.stringify({ said: parts.filter((part) => !part.startsWith('-----')).join('') + rest })
        expect(() => JSON.parse(withoutSecrets(line)) as unknown).not.toThrow()
      }),
    )
  })
})
