import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { accessTokenOf, claimsOf, groupsFrom, isJwt, nameFrom } from './claims.ts'
import { isEnding } from './session-payload.ts'

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const jwt = (claims: unknown, header: unknown = { alg: 'RS256' }) => `${part(header)}.${part(claims)}.c2ln`

describe('the groups of a person', () => {
  test.each([
    ['a list', [{ groups: ['admins', 'staff'] }], ['admins', 'staff']],
    ['one string with commas', [{ groups: 'admins, staff,' }], ['admins', 'staff']],
    ['in the access token only', [{ sub: 'jo' }, { groups: 'admins' }], ['admins']],
    ['none at all', [{ groups: [] }, { groups: ['admins'] }], []],
    ['never said', [{ sub: 'jo' }, null], null],
    ['of another kind', [{ groups: 7 }], null],
    ['mixed with nonsense', [{ groups: ['a', 7, null, ''] }], ['a']],
  ])('%s', (_, sources, groups) => {
    expect(groupsFrom(sources, 'groups')).toEqual(groups)
  })

  test('may stand below another claim, or under a name with dots', () => {
    expect(groupsFrom([{ realm_access: { roles: ['admins'] } }], 'realm_access.roles')).toEqual(['admins'])
    expect(groupsFrom([{ 'https://example.net/groups': ['admins'] }], 'https://example.net/groups')).toEqual(['admins'])
    expect(groupsFrom([{}], 'constructor.name')).toBeNull()
  })
})

test.each([
  [{ name: 'Jo', sub: '1' }, 'Jo'],
  [{ name: ' ', preferred_username: 'jo', sub: '1' }, 'jo'],
  [{ sub: '1' }, '1'],
  [{}, '?'],
])('people are called by what is said of them: %j', (claims, name) => {
  expect(nameFrom(claims)).toBe(name)
})

describe('a JWT', () => {
  test.each([
    [jwt({ sub: 'jo' }), true],
    ['opaque', false],
    ['a.b.c', false],
    ['..', false],
    [`${jwt({})}.more`, false],
    [jwt({}, { kid: 'no algorithm' }), false],
    [jwt('text'), false],
    [`${part({ alg: 'RS256' })}.%%%.x`, false],
  ])('%#', (token, expected) => {
    expect(isJwt(token)).toBe(expected)
  })

  test('T-fuzz: no text is an exception', () => {
    const token = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.base64String()).map((parts) => parts.join('.')),
      fc.tuple(fc.jsonValue(), fc.jsonValue()).map(([header, claims]) => jwt(claims, header)),
    )
    fc.assert(
      fc.property(token, (text) => {
        const claims = claimsOf(text)
        expect(claims === null || typeof claims === 'object').toBe(true)
        groupsFrom([claims], 'groups')
        nameFrom(claims ?? {})
        accessTokenOf(text, undefined, 0)
      }),
      { seed: 7, numRuns: 3000 },
    )
  })
})

describe('an access token', () => {
  test('ends when the provider says, else when it says itself, else after five minutes', () => {
    expect(accessTokenOf(jwt({ exp: 5000 }), 60, 1000)).toMatchObject({ issuedAt: 1000, expiresAt: 61_000 })
    expect(accessTokenOf(jwt({ exp: 5000 }), undefined, 1000).expiresAt).toBe(5_000_000)
    expect(accessTokenOf('opaque', undefined, 1000).expiresAt).toBe(301_000)
  })

  test.each([
    [600_000, 540_000, false],
    [600_000, 540_001, true],
    [20_000, 9000, false],
    [20_000, 11_000, true],
    [600_000, 700_000, true],
  ])('of %i ms is ending at %i ms: %s', (lifetime, now, expected) => {
    expect(isEnding({ token: 't', issuedAt: 0, expiresAt: lifetime }, now)).toBe(expected)
  })
})
