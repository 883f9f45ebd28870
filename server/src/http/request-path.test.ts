import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Refusal } from './problem.ts'
import { parseQuery, parseRequestPath } from './request-path.ts'

describe('the path of a request', () => {
  it.each([
    ['/', [''], ''],
    ['/api/clusters', ['api', 'clusters'], ''],
    ['/api/clusters/', ['api', 'clusters', ''], ''],
    ['/api/clusters?x=%2f..', ['api', 'clusters'], 'x=%2f..'],
    ['/a%20b/%C3%A9', ['a b', 'é'], ''],
    ['/a?b?c', ['a'], 'b?c'],
  ])('%s is taken apart once', (url, segments, query) => {
    expect(parseRequestPath(url)).toMatchObject({ segments, query })
  })

  it.each([
    '',
    'api',
    '*',
    'http://elsewhere/api',
    '//elsewhere',
    '/a//b',
    '/.',
    '/..',
    '/a/../b',
    '/a/%2e%2e/b',
    '/a/%2E./b',
    '/a%2fb',
    '/a%2Fb',
    '/a%5cb',
    '/a\\b',
    '/a%00b',
    '/a%0ab',
    '/a%7fb',
    '/a#b',
    '/a%23b',
    '/a%252fb',
    '/a%25',
    '/a%',
    '/a%zz',
    '/a%c3',
    '/a%ed%a0%80',
    '/a b',
    '/a\tb',
    '/é',
    '/%c2%85',
  ])('%j is refused', (url) => {
    expect(() => parseRequestPath(url)).toThrow(Refusal)
  })
})

describe('the query of a request', () => {
  it('is keys with values, decoded once', () => {
    expect(parseQuery('a=1&b=two+words&c=%25&d')).toEqual({ a: '1', b: 'two words', c: '%', d: '' })
  })

  it.each([
    'a=1&a=2',
    'a=%',
    '%zz=1',
    'a=%00',
    'secret=x',
    'SECRET=x',
    'access_token=x',
    'a=1&access%5Ftoken=x',
    'a=%0d%0ab',
  ])('%j is refused', (query) => {
    expect(() => parseQuery(query)).toThrow(Refusal)
  })

  it('keeps a name of Object as a key like any other', () => {
    const query = parseQuery('__proto__=x&constructor=y')
    expect(Object.keys(query)).toEqual(['__proto__', 'constructor'])
    expect(Object.getPrototypeOf(query)).toBe(Object.prototype)
  })
})

describe('T-fuzz: the path normalizer', () => {
  const url = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          '/',
          '..',
          '.',
          '%2e',
          '%2f',
          '%5c',
          '%25',
          '%00',
          '%',
          '#',
          '?',
          '\\',
          ';',
          '%c3%a9',
          'a',
          '//',
          '\u0000',
          '\n',
          '%ed%a0%80',
        ),
        fc.string({ unit: 'binary', maxLength: 5 }),
      ),
      { maxLength: 20 },
    )
    .map((parts) => `/${parts.join('')}`)

  it('either refuses, or gives segments that mean the same to everybody', () => {
    fc.assert(
      fc.property(url, (text) => {
        const path = orRefused(() => parseRequestPath(text))
        if (path === undefined) return
        for (const segment of path.segments) {
          expect(segment).not.toMatch(/[/\\#%\p{Cc}]/u)
          expect(['.', '..']).not.toContain(segment)
          // Encoding and decoding again changes nothing: there is one reading.
          expect(decodeURIComponent(encodeURIComponent(segment))).toBe(segment)
        }
        expect(`/${path.segments.map(encodeURIComponent).join('/')}`).toBe(normalForm(path.raw))
      }),
      { seed: 20261122, numRuns: 5_000 },
    )
  })

  it('never throws anything but a refusal, for any query', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        expect(() => orRefused(() => parseQuery(text))).not.toThrow()
      }),
      { seed: 20261123, numRuns: 5_000 },
    )
  })

  /** What it gives, or nothing when it is refused; anything else that is thrown is a crash. */
  function orRefused<T>(read: () => T): T | undefined {
    try {
      return read()
    } catch (error) {
      if (error instanceof Refusal) return undefined
      throw error
    }
  }

  function normalForm(raw: string): string {
    return raw.split('/').map(decodeURIComponent).map(encodeURIComponent).join('/')
  }
})
