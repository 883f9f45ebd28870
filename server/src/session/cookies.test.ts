import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { systemRandom as random } from '../lib/random.ts'
import {
  cookieValues,
  expireSessionCookie,
  formatSessionCookie,
  newSessionCookie,
  parseSessionCookie,
  rowKeyOf,
  setLoginCookie,
  setSessionCookie,
} from './cookies.ts'

describe('the session cookie', () => {
  test('has 128 bits to find the session by and 256 to open it', () => {
    const cookie = newSessionCookie(random)
    expect([cookie.id.length * 8, cookie.secret.length * 8]).toEqual([128, 256])
    expect(parseSessionCookie(formatSessionCookie(cookie))).toEqual(cookie)
  })

  test('leaves no id in the database that a cookie could be made of', () => {
    const cookie = newSessionCookie(random)
    expect(rowKeyOf(cookie).includes(cookie.id)).toBe(false)
    expect(rowKeyOf(cookie)).toEqual(rowKeyOf({ ...cookie, secret: random.bytes(32) }))
  })

  test('T-session-seal: every character of it counts, to the last bit', () => {
    const value = formatSessionCookie(newSessionCookie(random))
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const original = parseSessionCookie(value)!
    for (let at = 0; at < value.length; at += 1) {
      for (const character of alphabet) {
        const changed = value.slice(0, at) + character + value.slice(at + 1)
        if (changed === value) continue
        const parsed = parseSessionCookie(changed)
        const same = parsed && parsed.id.equals(original.id) && parsed.secret.equals(original.secret)
        expect(same ?? false, changed).toBe(false)
      }
    }
  })

  test.each([
    '',
    '.',
    'a.b',
    `${'A'.repeat(22)}.${'A'.repeat(42)}`,
    `${'A'.repeat(22)}.${'A'.repeat(43)} `,
    'ä'.repeat(66),
  ])('refuses %j', (value) => {
    expect(parseSessionCookie(value)).toBeUndefined()
  })

  test('T-fuzz: no text is an exception', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(parseSessionCookie(text)).toBeUndefined()
        expect(Array.isArray(cookieValues(text, '__Host-Http-sid'))).toBe(true)
      }),
      { seed: 5, numRuns: 2000 },
    )
  })

  test.each([
    [undefined, []],
    ['', []],
    ['__Host-Http-sid=a', ['a']],
    ['x=1; __Host-Http-sid=a;y=2', ['a']],
    ['__Host-Http-sid=a; __Host-Http-sid=b', ['a', 'b']],
    ['__host-http-sid=a; X__Host-Http-sid=b; __Host-Http-sidx=c', []],
    ['__Host-Http-sid', []],
    [`__Host-Http-sid=a; ${'x'.repeat(20_000)}`, []],
  ])('of the header %j has the values %j', (header, values) => {
    expect(cookieValues(header, '__Host-Http-sid')).toEqual(values)
  })

  test('is kept from scripts, other sites, other hosts and the clear, and goes when the browser goes', () => {
    expect(setSessionCookie('v')).toBe('__Host-Http-sid=v; Path=/; Secure; HttpOnly; SameSite=Strict')
    expect(setLoginCookie('v', 600)).toBe('__Host-Http-login=v; Path=/; Max-Age=600; Secure; HttpOnly; SameSite=Lax')
    expect(expireSessionCookie()).toContain('Max-Age=0')
  })
})
