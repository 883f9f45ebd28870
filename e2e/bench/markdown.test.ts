import { describe, expect, it } from 'vitest'
import { formatBytes, formatMs, formatRatio, markdownTable } from './markdown.ts'

describe('markdownTable', () => {
  it('pads cells, aligns numbers to the right and escapes what would end a cell', () => {
    const table = markdownTable(
      ['path', 'p50'],
      [
        ['a|b', '1.20 ms'],
        ['console', '12 ms'],
      ],
    )
    expect(table).toBe(
      ['| path    |     p50 |', '| ------- | ------: |', '| a\\|b    | 1.20 ms |', '| console |   12 ms |'].join('\n'),
    )
  })

  it('fills what a row lacks', () => {
    expect(
      markdownTable(['a', 'b'], [['1']])
        .split('\n')
        .at(-1),
    ).toBe('| 1    |      |')
  })
})

describe('what numbers look like', () => {
  it.each([
    [0.1234, '0.12 ms'],
    [-0.5, '-0.50 ms'],
    [12.34, '12.3 ms'],
    [10_000.4, '10000 ms'],
    [Number.NaN, '–'],
  ])('%d ms is %s', (ms, text) => {
    expect(formatMs(ms)).toBe(text)
  })

  it.each([
    [3, 2, '1.50×'],
    [300, 2, '150×'],
    [1, 0, '–'],
  ])('%d of %d is %s', (one, other, text) => {
    expect(formatRatio(one, other)).toBe(text)
  })

  it('bytes are counted in MiB', () => {
    expect(formatBytes(3 * 1024 * 1024)).toBe('3.00 MiB')
  })
})
