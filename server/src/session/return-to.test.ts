import fc from 'fast-check'
import { expect, test } from 'vitest'
import { safeReturnTo } from './return-to.ts'

const publicUrl = 'https://console.example.net'

test.each([
  '/',
  '/clusters/prod-eu/members',
  '/clusters/prod-eu/members?filter=a%20b#top',
  '/authors',
  '/sign-in-help',
])('after signing in, the browser goes to %s', (path) => {
  expect(safeReturnTo(path, publicUrl)).toBe(path)
})

test.each([
  null,
  undefined,
  '',
  'clusters',
  'https://evil.example.net/',
  '//evil.example.net',
  '/\\evil.example.net',
  '\\\\evil.example.net',
  '/\t/evil.example.net',
  '/\n/evil.example.net',
  '/.//evil.example.net',
  '/..//evil.example.net',
  '/%2e//evil.example.net',
  'javascript:alert(1)',
  '/auth/login',
  '/auth/logout?x',
  '/api/session',
  '/d/ticket',
  '/sign-in?problem=no_role',
  '/x/../auth/login',
  `/${'x'.repeat(2000)}`,
])('and never to %j', (path) => {
  expect(safeReturnTo(path, publicUrl)).toBe('/')
})

test('T-fuzz: whatever is wanted, it is a path of this origin', () => {
  const piece = fc.constantFrom(
    '/',
    '\\',
    '.',
    '..',
    '//',
    '%2f',
    '%5c',
    '@',
    ':',
    '?',
    '#',
    'evil.net',
    '\t',
    'a',
    '\u2028',
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map((pieces) => `/${pieces.join('')}`),
      ),
      (wanted) => {
        const path = safeReturnTo(wanted, publicUrl)
        expect(new URL(path, publicUrl).origin).toBe(publicUrl)
        expect(path).toMatch(/^\/(?![/\\])/)
      },
    ),
    { seed: 6, numRuns: 5000 },
  )
})
