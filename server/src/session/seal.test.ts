import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { systemRandom as random } from '../lib/random.ts'
import { open, seal } from './seal.ts'

const keys = { secret: random.bytes(32), serverKey: random.bytes(32) }

describe('T-session-seal', () => {
  test('what was sealed opens with both keys and its own context', () => {
    const sealed = seal('tokens', 'session 1', keys, random)
    expect(open(sealed, 'session 1', keys)).toBe('tokens')
    expect(sealed.includes('tokens')).toBe(false)
  })

  test('neither key opens it without the other, and no other context does', () => {
    const sealed = seal('tokens', 'session 1', keys, random)
    const others = [
      { ...keys, secret: random.bytes(32) },
      { ...keys, serverKey: random.bytes(32) },
      { secret: keys.serverKey, serverKey: keys.secret },
      { secret: Buffer.alloc(0), serverKey: keys.serverKey },
    ]
    for (const other of others) expect(open(sealed, 'session 1', other)).toBeUndefined()
    expect(open(sealed, 'session 2', keys)).toBeUndefined()
  })

  test('no flipped bit is overlooked', () => {
    const sealed = seal('tokens of somebody', 'session 1', keys, random)
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const flipped = Buffer.from(sealed)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      expect(open(flipped, 'session 1', keys), `bit ${bit}`).toBeUndefined()
    }
  })

  test('the same text is never sealed the same way', () => {
    const all = Array.from({ length: 100 }, () => seal('tokens', 'session 1', keys, random).toString('hex'))
    expect(new Set(all).size).toBe(100)
  })

  test('T-fuzz: any text comes back, and any bytes are refused without an exception', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, context) => {
        expect(open(seal(text, context, keys, random), context, keys)).toBe(text)
      }),
      { seed: 3, numRuns: 300 },
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(open(bytes, 'session 1', keys)).toBeUndefined()
      }),
      { seed: 4, numRuns: 1000 },
    )
  })
})
