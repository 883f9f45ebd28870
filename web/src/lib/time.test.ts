import { describe, expect, test } from 'vitest'
import {
  daysUntil,
  formatAgo,
  formatClock,
  formatDate,
  formatFull,
  formatDuration,
  formatExpiry,
  formatMs,
} from './time.ts'

describe('formatDuration', () => {
  test.each([
    [-5, '0.0 s'],
    [0, '0.0 s'],
    [449, '0.4 s'],
    [940, '0.9 s'],
    [960, '1 s'],
    [11_200, '11 s'],
    [99_000, '99 s'],
    [100_000, '1 min'],
    [180_000, '3 min'],
    [99 * 60_000, '99 min'],
    [100 * 60_000, '1 h'],
    [47 * 3_600_000, '47 h'],
    [48 * 3_600_000, '2 days'],
    [19.5 * 86_400_000, '19 days'],
    [730 * 86_400_000, '730 days'],
    [731 * 86_400_000, '2 years'],
    [3649 * 86_400_000, '10 years'],
  ])('%d ms is "%s"', (ms, text) => expect(formatDuration(ms)).toBe(text))
})

describe('formatMs', () => {
  test.each([
    [4.14, '4.1 ms'],
    [38.4, '38 ms'],
    [212, '212 ms'],
    [1940, '1.9 s'],
  ])('%d is "%s"', (ms, text) => expect(formatMs(ms)).toBe(text))
})

const now = Date.parse('2026-11-22T06:12:00Z')

test('what was less than a second back is "just now"', () => {
  expect(formatAgo('2026-11-22T06:11:59.100Z', now)).toBe('just now')
})

test('an instant eleven seconds back is "11 s ago"', () => {
  expect(formatAgo('2026-11-22T06:11:49Z', now)).toBe('11 s ago')
})

test('expiry is told on both sides of now', () => {
  expect(formatExpiry('2026-12-11T07:00:00Z', now)).toBe('in 19 days')
  expect(formatExpiry('2026-11-19T06:00:00Z', now)).toBe('expired 3 days ago')
  expect(daysUntil('2026-12-11T07:00:00Z', now)).toBe(19)
  expect(daysUntil('2026-11-19T06:00:00Z', now)).toBe(-4)
})

test('dates and times are those of the place where they are read', () => {
  const at = new Date(2026, 11, 3, 6, 2, 9).toISOString()
  expect(formatDate(at)).toBe('3 Dec 2026')
  expect(formatClock(at)).toBe('06:02:09')
  expect(formatFull(at)).toBe('3 Dec 2026, 06:02:09')
})
