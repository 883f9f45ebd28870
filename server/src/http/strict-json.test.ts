import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Refusal } from './problem.ts'
import { parseStrictJson } from './strict-json.ts'

const limits = { jsonDepth: 64, jsonKeys: 10_000 }
const read = (text: string | Uint8Array) => parseStrictJson(Buffer.from(text), limits)

describe('a JSON body', () => {
  it.each([
    '{}',
    '[]',
    'null',
    '"a"',
    '1',
    '{"a":{"a":[{"a":1},{"a":2}]},"b":"}{"}',
    ' { "a\\"b" : [ "c,\\\\" ] , "d": "e:f" } ',
  ])('%s is read', (text) => {
    expect(read(text)).toEqual(JSON.parse(text))
  })

  it.each([
    ['nothing', ''],
    ['half an object', '{"a":'],
    ['a comment', '{"a":1} // b'],
    ['a comma too many', '{"a":1,}'],
    ['a key twice', '{"a":1,"a":2}'],
    ['a key twice, once escaped', '{"a":1,"\\u0061":2}'],
    ['a key twice further in', '{"x":[{"b":1,"c":{},"b":2}]}'],
    ['__proto__', '{"__proto__":{}}'],
    ['__proto__, escaped', '{"\\u005f_proto__":{}}'],
    ['__proto__ further in', '[{"a":{"__proto__":1}}]'],
    ['an escape that is none', '{"\\x":1}'],
    ['too deep', `${'['.repeat(65)}${']'.repeat(65)}`],
    ['far too deep', '['.repeat(1_000_000)],
    ['too many keys', JSON.stringify(Object.fromEntries(Array.from({ length: 10_001 }, (_, n) => [`k${n}`, 0])))],
    ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['half a character', Buffer.from([0x22, 0xc3, 0x22])],
    ['a byte order mark', '\uFEFF{}'],
  ])('%s is refused', (_, text) => {
    expect(() => read(text)).toThrow(Refusal)
  })

  it('may be as deep and as large as is allowed', () => {
    expect(() => read(`${'['.repeat(64)}${']'.repeat(64)}`)).not.toThrow()
    const keys = Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`k${n}`, 0]))
    expect(read(JSON.stringify(keys))).toEqual(keys)
  })
})

const refused = Symbol('refused')

/** Anything else that is thrown is a crash. */
function orRefused(text: string | Uint8Array): unknown {
  try {
    return read(text)
  } catch (error) {
    if (error instanceof Refusal) return refused
    throw error
  }
}

describe('T-fuzz: the JSON reader', () => {
  it('reads what is valid as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), (text) => {
        if (text.includes('__proto__')) return
        expect(read(text)).toEqual(JSON.parse(text))
      }),
      { seed: 20261122, numRuns: 3_000 },
    )
  })

  it('never throws anything but a refusal, and takes nothing that JSON.parse does not', () => {
    const pieces = fc.array(
      fc.oneof(
        fc.constantFrom('{', '}', '[', ']', '"', ',', ':', '\\', '\\u0061', '"a"', '1', 'null', ' ', '"__proto__"'),
        fc.string({ unit: 'binary', maxLength: 3 }),
      ),
      { maxLength: 30 },
    )
    fc.assert(
      fc.property(pieces, (parts) => {
        const text = parts.join('')
        const value = orRefused(text)
        expect(value === refused || isDeepStrictEqual(value, JSON.parse(text))).toBe(true)
      }),
      { seed: 20261123, numRuns: 5_000 },
    )
  })

  it('never throws anything but a refusal for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(() => orRefused(bytes)).not.toThrow()
      }),
      { seed: 20261124, numRuns: 3_000 },
    )
  })
})
