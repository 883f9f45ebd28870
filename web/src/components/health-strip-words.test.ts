import { expect, test } from 'vitest'
import { describeStrip, stripOf } from './health-strip-words.ts'

const history = {
  from: '2026-11-21T06:12:00.000Z',
  pieceMs: 2_400_000,
  members: { a: [null, 'healthy' as const, 'suspect' as const, 'ejected' as const] },
}

test('standings become tones, and what nobody watched is unknown', () => {
  expect(stripOf(history, 'a')).toEqual(['unknown', 'good', 'warning', 'bad'])
  expect(stripOf(history, 'b')).toEqual(Array.from({ length: 36 }, () => 'unknown'))
  expect(stripOf(undefined, 'a')).toBeNull()
})

test('a strip is said in words', () => {
  expect(describeStrip('a', ['good', 'good'])).toBe('a, last 24 h: healthy throughout')
  expect(describeStrip('a', ['bad', 'bad', 'bad', 'good', 'warning', 'unknown'])).toBe(
    'a, last 24 h: without an answer in 2 h, unwell in 40 min, not measured for 40 min',
  )
})
