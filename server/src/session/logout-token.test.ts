import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { LogoutTokenRefused, readLogoutToken } from './logout-token.ts'

const issuer = 'https://idp.example.net'
const now = Date.UTC(2026, 0, 1)
const seconds = now / 1000
const events = { 'http://schemas.openid.net/event/backchannel-logout': {} }

let keys: Awaited<ReturnType<typeof generateKeyPair>>
let expected: Parameters<typeof readLogoutToken>[1]

beforeAll(async () => {
  keys = await generateKeyPair('ES256')
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'k' }
  expected = { issuer, clientId: 'malleus', keys: createLocalJWKSet({ keys: [jwk] }), now }
})

function token(claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}, key = keys.privateKey) {
  const all = { iss: issuer, aud: 'malleus', iat: seconds, jti: 'j1', events, sid: 's1', sub: 'jo', ...claims }
  return new SignJWT(all).setProtectedHeader({ alg: 'ES256', typ: 'logout+jwt', kid: 'k', ...header }).sign(key)
}

describe('a logout token', () => {
  test('says which session ended', async () => {
    expect(await readLogoutToken(await token(), expected)).toEqual({
      iss: issuer,
      sid: 's1',
      sub: 'jo',
      jti: 'j1',
      expiresAt: now + 180_000,
    })
  })

  test('may name a person only', async () => {
    expect(await readLogoutToken(await token({ sid: undefined }), expected)).toMatchObject({ sid: null, sub: 'jo' })
  })

  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['of another issuer', { iss: 'https://evil.example.net' }, {}],
    ['for another client', { aud: 'incus' }, {}],
    ['that is an ID token', {}, { typ: 'JWT' }],
    ['without a type', {}, { typ: undefined }],
    ['with a nonce', { nonce: 'n' }, {}],
    ['older than two minutes', { iat: seconds - 151 }, {}],
    ['from the future', { iat: seconds + 60 }, {}],
    ['without a time', { iat: undefined }, {}],
    ['without an id of its own', { jti: undefined }, {}],
    ['without events', { events: undefined }, {}],
    ['of another event', { events: { 'http://example.net/event': {} } }, {}],
    ['with an event that is text', { events: { 'http://schemas.openid.net/event/backchannel-logout': 'x' } }, {}],
    ['that names nobody', { sid: undefined, sub: undefined }, {}],
  ])('%s is refused', async (_, claims, header) => {
    await expect(readLogoutToken(await token(claims, header), expected)).rejects.toBeInstanceOf(LogoutTokenRefused)
  })

  test('signed by somebody else is refused', async () => {
    const other = await generateKeyPair('ES256')
    const forged = await token({}, {}, other.privateKey)
    await expect(readLogoutToken(forged, expected)).rejects.toBeInstanceOf(LogoutTokenRefused)
  })

  test('with no signature, or one by a shared secret, is refused', async () => {
    const [, payload] = (await token()).split('.')
    const header = (alg: string) => Buffer.from(JSON.stringify({ alg, typ: 'logout+jwt' })).toString('base64url')
    for (const forged of [`${header('none')}.${payload}.`, `${header('HS256')}.${payload}.c2ln`]) {
      await expect(readLogoutToken(forged, expected)).rejects.toBeInstanceOf(LogoutTokenRefused)
    }
  })

  test('T-fuzz: no other text is anything but refused', async () => {
    const real = await token()
    const said = await readLogoutToken(real, expected)
    const damaged = fc.tuple(fc.nat(real.length - 1), fc.string({ unit: 'binary', minLength: 1, maxLength: 3 }))
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      damaged.map(([at, instead]) => real.slice(0, at) + instead + real.slice(at + instead.length)),
    )
    await fc.assert(
      fc.asyncProperty(text, async (forged) => {
        fc.pre(forged !== real)
        const ended = await readLogoutToken(forged, expected).catch((error: unknown) => error)
        // The last character has bits that say nothing, so one token has a few spellings; they are one and the same.
        expect(ended instanceof LogoutTokenRefused || isDeepStrictEqual(ended, said)).toBe(true)
      }),
      { seed: 9, numRuns: 500 },
    )
  })
})
