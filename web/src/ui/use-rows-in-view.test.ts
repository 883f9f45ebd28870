import { expect, test } from 'vitest'
import { rowsBetween } from './use-rows-in-view.ts'

test.each([
  ['at the top', [0, 900], [0, 48]],
  ['above the window', [-400, 500], [0, 36]],
  ['a little further, the same rows', [100, 1_000], [0, 48]],
  ['in the middle of many', [180_000, 180_900], [4_980, 5_040]],
  ['the window not reached yet', [-2_000, -1_100], [0, 0]],
])('rows to draw %s', (_where, [from = 0, to = 0], [first, end]) => {
  expect(rowsBetween(from, to, 36)).toEqual({ first, end, rowPx: 36 })
})

test('every row in view is among them, with some to spare', () => {
  for (let top = 0; top < 20_000; top += 7) {
    const { first, end } = rowsBetween(top, top + 900, 36)
    expect(first === 0 || first * 36 <= top - 12 * 36 + 36).toBe(true)
    expect(end * 36).toBeGreaterThanOrEqual(top + 900 + 11 * 36)
    expect(end - first).toBeLessThanOrEqual(900 / 36 + 4 * 12)
  }
})
