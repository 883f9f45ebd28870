import { expect, test } from 'vitest'
import { formatBytes, formatPercent } from './bytes.ts'

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1024, '1.0 KiB'],
  [212 * 1024 ** 2, '212 MiB'],
  [6.1 * 1024 ** 3, '6.1 GiB'],
  [64 * 1024 ** 3, '64 GiB'],
  [1.5 * 1024 ** 4, '1.5 TiB'],
])('%d bytes are "%s"', (bytes, text) => expect(formatBytes(bytes)).toBe(text))

test('a share of nothing has no percentage', () => {
  expect(formatPercent(1, 0)).toBe('–')
  expect(formatPercent(41, 100)).toBe('41%')
})
