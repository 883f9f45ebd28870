import { expect, test } from 'vitest'
import { isLockDue, mayReport, warningAt } from './idle.ts'

const now = Date.parse('2026-11-22T06:00:00.000Z')
const times = (idleMs: number, hardMs = 3_600_000) => ({
  idleExpiresAt: new Date(now + idleMs).toISOString(),
  expiresAt: new Date(now + hardMs).toISOString(),
})

test.each<[number, number, string]>([
  [1_800_000, 36_000_000, ''],
  [120_001, 3_600_000, ''],
  [119_000, 3_600_000, 'Without input this page locks in two minutes. What is on it stays.'],
  [45_000, 3_600_000, 'Without input this page locks in one minute. What is on it stays.'],
  [9000, 3_600_000, 'Without input this page locks in a few seconds. What is on it stays.'],
  [0, 3_600_000, ''],
  [60_000, 50_000, 'The session reaches its longest time in one minute; sign in again to go on.'],
])('idle in %d ms and over in %d ms: "%s"', (idle, hard, text) => expect(warningAt(times(idle, hard), now)).toBe(text))

test('the page locks at whichever limit comes first', () => {
  expect(isLockDue(times(1), now)).toBe(false)
  expect(isLockDue(times(0), now)).toBe(true)
  expect(isLockDue(times(60_000, 0), now)).toBe(true)
})

test('input is reported once a minute', () => {
  expect(mayReport(now - 59_999, now)).toBe(false)
  expect(mayReport(now - 60_000, now)).toBe(true)
})
