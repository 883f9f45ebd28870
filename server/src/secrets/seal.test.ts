import fc from 'fast-check'
import { expect, test } from 'vitest'
import { systemRandom as random } from '../lib/random.ts'
import { openSecret, sealSecret } from './seal.ts'

const serverKey = random.bytes(32)

test('what was sealed opens with the server key and its own context', () => {
  const sealed = sealSecret('a private key', 'row 1', serverKey, random)
  expect(openSecret(sealed, 'row 1', serverKey)).toBe('a private key')
  expect(sealed.includes('a private key')).toBe(false)
})

test('it opens with no other key and for no other row', () => {
  const sealed = sealSecret('a private key', 'row 1', serverKey, random)
  expect(openSecret(sealed, 'row 1', random.bytes(32))).toBeUndefined()
  expect(openSecret(sealed, 'row 1', new Uint8Array())).toBeUndefined()
  expect(openSecret(sealed, 'row 2', serverKey)).toBeUndefined()
})

test('no flipped bit is overlooked', () => {
  const sealed = sealSecret('a private key', 'row 1', serverKey, random)
  for (let bit = 0; bit < sealed.length * 8; bit += 1) {
    const flipped = Buffer.from(sealed)
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    expect(openSecret(flipped, 'row 1', serverKey), `bit ${bit}`).toBeUndefined()
  }
})

test('the same text is never sealed the same way', () => {
  const all = Array.from({ length: 100 }, () => sealSecret('a', 'row 1', serverKey, random).toString('hex'))
  expect(new Set(all).size).toBe(100)
})

test('T-fuzz: any text comes back, and any bytes are refused without an exception', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, context) => {
      expect(openSecret(sealSecret(text, context, serverKey, random), context, serverKey)).toBe(text)
    }),
    { seed: 5, numRuns: 300 },
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(openSecret(bytes, 'row 1', serverKey)).toBeUndefined()
    }),
    { seed: 6, numRuns: 1000 },
  )
})
