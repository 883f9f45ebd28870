import { describe, expect, test } from 'vitest'
import { isProvenLately, isProvenSince } from './step-up.ts'

const now = Date.UTC(2026, 10, 22, 12)
const secondsAgo = (seconds: number) => now / 1000 - seconds

describe('a person is proven', () => {
  test.each([
    ['just now', secondsAgo(0), true],
    ['four minutes ago', secondsAgo(240), true],
    ['five minutes ago, to the second', secondsAgo(300), true],
    ['a second longer ago', secondsAgo(301), false],
    ['yesterday', secondsAgo(86_400), false],
    ['by a clock that is half a minute ahead', secondsAgo(-30), true],
    ['in a future that no clock explains', secondsAgo(-31), false],
    ['by a provider that does not say when', null, false],
    ['at the beginning of time', 0, false],
  ])('%s: %s → %s', (_when, authTime, proven) => {
    expect(isProvenLately(authTime, now)).toBe(proven)
  })
})

describe('the provider asked again', () => {
  test.each([
    ['after it was asked to', 2, true],
    ['at the same moment, by a clock that is half a minute behind', -30, true],
    ['not, when the last time was before that', -31, false],
  ])('%s', (_when, secondsAfter, asked) => {
    expect(isProvenSince(now / 1000 + secondsAfter, now)).toBe(asked)
  })
})
