import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  everything,
  fitsHistory,
  formatHistoryFilter,
  historyCompletion,
  historyFields,
  historyInstant,
  parseHistoryFilter,
  withHistoryValue,
  type HistoryFacts,
  type HistoryFilter,
} from './history-filter.ts'

function parsed(text: string): HistoryFilter {
  const result = parseHistoryFilter(text)
  if (!result.ok) throw new Error(`${text}: ${result.problem.message}`)
  return result.filter
}

function problem(text: string): { message: string; at: number; length: number } | undefined {
  const result = parseHistoryFilter(text)
  return result.ok ? undefined : result.problem
}

describe('a filter is written in one way', () => {
  test.each([
    ['', ''],
    ['   ', ''],
    ['who:jo@example.net', 'who:jo@example.net'],
    ['result:refused who:jo', 'who:jo result:refused'],
    ['who:jo who:mika', 'who:jo who:mika'],
    ['who:jo who:jo', 'who:jo'],
    ['who:"Jo Doe"', 'who:"Jo Doe"'],
    ['who:"jo"', 'who:jo'],
    ['who:jo*', 'who:jo*'],
    ['who:"jo d"*', 'who:"jo d"*'],
    ['to:"a*"', 'to:"a*"'],
    ['what:member.*', 'what:member.*'],
    ['who:*', 'who:*'],
    ['-who:jo', '-who:jo'],
    ['-who:jo who:mika', 'who:mika -who:jo'],
    ['from:fe80::1', 'from:fe80::1'],
    ['to:volumes/custom:data', 'to:volumes/custom:data'],
    ['db-01 who:jo', 'who:jo db-01'],
    ['"to: whom"', '"to: whom"'],
    ['-"two words"', '-"two words"'],
    ['"-minus"', '"-minus"'],
    ['"who:jo"', '"who:jo"'],
    ['who:"a \\"b\\" c"', 'who:"a \\"b\\" c"'],
    ['who:"back\\\\slash x"', 'who:"back\\\\slash x"'],
    ['after:24h before:2026-11-22', 'after:24h before:2026-11-22'],
    ['before:2026-11-22T14:00 after:30d', 'after:30d before:2026-11-22T14:00'],
    ['fe80::1', 'fe80::1'],
    ['10:30', '10:30'],
    ['""', ''],
  ])('%s is %s', (text, canonical) => {
    expect(formatHistoryFilter(parsed(text))).toBe(canonical)
  })

  const value = fc.record({ text: fc.string({ minLength: 1, maxLength: 12 }), begins: fc.boolean() })
  const clause = fc.record({
    field: fc.constantFrom(...historyFields.filter((field) => !['result', 'source', 'view'].includes(field))),
    not: fc.boolean(),
    values: fc.uniqueArray(value, { minLength: 1, maxLength: 3, selector: (one) => JSON.stringify(one) }),
  })
  const filter = fc.record({
    clauses: fc
      .uniqueArray(clause, { maxLength: 4, selector: ({ field, not }) => `${field}${not}` })
      .map((clauses) => clauses.toSorted((a, b) => order(a) - order(b))),
    words: fc.uniqueArray(fc.record({ text: fc.string({ minLength: 1, maxLength: 12 }), not: fc.boolean() }), {
      maxLength: 3,
      selector: (one) => JSON.stringify(one),
    }),
    after: fc.constantFrom(null, '24h', '2026-11-22'),
    before: fc.constantFrom(null, '5m', '2026-11-22T10:00:00.123Z'),
  })

  test('what is written is read as the same filter, whatever it looks for', () => {
    fc.assert(
      fc.property(filter, (given) => {
        expect(parsed(formatHistoryFilter(given))).toEqual(given)
      }),
      { numRuns: 500 },
    )
  })

  test('any text at all is a filter or a mistake with a place in it', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        const result = parseHistoryFilter(text)
        // What is a filter is read again as the same; what is not says where.
        const [got, wanted] = result.ok
          ? [parsed(formatHistoryFilter(result.filter)), result.filter]
          : [result.problem.at + result.problem.length <= text.length, true]
        expect(got).toEqual(wanted)
      }),
      { numRuns: 1000 },
    )
  })
})

const order = ({ field, not }: { field: (typeof historyFields)[number]; not: boolean }) =>
  historyFields.indexOf(field) * 2 + Number(not)

describe('a mistake is named, with its place', () => {
  test.each([
    ['who:jo foo:bar', 'There is no field “foo”', 7, 3],
    ['-foo:bar', 'There is no field “foo”', 0, 4],
    ['who:', 'What “who:” is to be is missing', 0, 4],
    ['who:"jo', 'A quotation mark is missing', 0, 7],
    ['a "b', 'A quotation mark is missing', 2, 2],
    ['result:denied', 'It is one of ok, refused, failed, unknown, begun', 0, 13],
    ['result:re*', 'takes no *', 0, 10],
    ['source:ssh', 'It is one of console, incus', 0, 10],
    ['after:yesterday', '“yesterday” is no time', 0, 15],
    ['after:24h after:3h', '“after:” stands twice', 10, 8],
    ['-after:24h', 'cannot be asked', 0, 10],
    ['after:2026-13-40', 'is no time', 0, 16],
    ['x'.repeat(1001), 'at most 1000 characters', 1000, 1],
  ])('%s', (text, message, at, length) => {
    expect(problem(text)).toEqual({ message: expect.stringContaining(message), at, length })
  })
})

describe('a time', () => {
  const now = Date.parse('2026-11-22T12:00:00Z')
  test.each([
    ['90m', '2026-11-22T10:30:00.000Z'],
    ['24h', '2026-11-21T12:00:00.000Z'],
    ['30d', '2026-10-23T12:00:00.000Z'],
    ['4w', '2026-10-25T12:00:00.000Z'],
    ['2026-11-22', '2026-11-22T00:00:00.000Z'],
    ['2026-11-22T14:00', '2026-11-22T14:00:00.000Z'],
    ['2026-11-22T14:00:05.123Z', '2026-11-22T14:00:05.123Z'],
  ])('%s is %s', (text, instant) => {
    expect(new Date(historyInstant(text, now) ?? Number.NaN).toISOString()).toBe(instant)
  })

  test.each(['', 'h', '24', '24x', '22.11.2026', '2026-11-22T25:00', '-24h'])('%s is none', (text) => {
    expect(historyInstant(text, now)).toBeUndefined()
  })
})

describe('a record fits', () => {
  const facts: HistoryFacts = {
    who: 'Jo@Example.net',
    what: 'instance.delete',
    to: 'db-01',
    result: 'refused',
    view: ['admin'],
  }
  const text = '{"actor":"Jo@Example.net","object":"db-01"}'
  test.each([
    ['', true],
    ['who:jo@example.net', true],
    ['who:jo', false],
    ['who:jo*', true],
    ['who:mika who:jo*', true],
    ['who:jo* to:web', false],
    ['-who:jo*', false],
    ['-who:mika', true],
    ['project:default', false],
    ['-project:default', true],
    ['view:admin', true],
    ['view:trust', false],
    ['-view:trust', true],
    ['result:refused result:failed', true],
    ['EXAMPLE', true],
    ['-example', false],
    ['nothing', false],
  ])('%s: %s', (filter, fits) => {
    expect(fitsHistory(parsed(filter), facts, text)).toBe(fits)
  })
})

describe('a click on a value', () => {
  test.each([
    ['', 'who:"Jo Doe"'],
    ['result:ok', 'who:"Jo Doe" result:ok'],
    ['who:mika -who:lea db-01', 'who:"Jo Doe" db-01'],
  ])('makes %s into %s', (before, after) => {
    expect(formatHistoryFilter(withHistoryValue(parsed(before), 'who', 'Jo Doe'))).toBe(after)
  })

  test('asks for what begins nothing', () => {
    expect(withHistoryValue(everything, 'to', 'a*').clauses).toEqual([
      { field: 'to', not: false, values: [{ text: 'a*', begins: false }] },
    ])
  })
})

describe('what can be completed', () => {
  test.each([
    ['|', null, '', ''],
    ['w|', null, 'w', 'w'],
    ['-wh|', null, 'wh', 'wh'],
    ['who:|', 'who', '', ''],
    ['who:jo|', 'who', 'jo', 'jo'],
    ['who:"Jo D|', 'who', 'Jo D', '"Jo D'],
    ['who:jo |result:ok', null, '', 'result:'],
    ['who:jo |', null, '', ''],
    ['who:j|o result:ok', 'who', 'j', 'jo'],
    ['wh|o:jo', null, 'wh', 'who:'],
    ['after:|', 'after', '', ''],
    ['foo:b|', null, 'foo:b', 'foo:b'],
  ])('in %s', (marked, field, begun, replaced) => {
    const caret = marked.indexOf('|')
    const text = marked.replace('|', '')
    const found = historyCompletion(text, caret)
    expect({ field: found.field, begun: found.begun, replaced: text.slice(found.from, found.to) }).toEqual({
      field,
      begun,
      replaced,
    })
  })
})
