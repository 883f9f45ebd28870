import { describe, expect, test } from 'vitest'
import { bounds, cellOf, type Front, markdownCells, type Sample } from './failover-table.ts'

function samples(row: Sample['row'], front: Front, ...times: readonly number[]): Sample[] {
  return times.map((ms) => ({
    row,
    front,
    attempt: 0,
    at: 0,
    lagMs: 0,
    ms,
    answered: true,
    failed: false,
    answer: 'fresh',
  }))
}

const given = (row: Sample['row'], front: Front, ms: number): Sample[] =>
  samples(row, front, ms).map((sample) => ({ ...sample, answered: false, failed: true, answer: 'none' }))

describe('a cell', () => {
  test('tells p99, the worst, and how many failed of how many', () => {
    const taken = [...samples('stopped', 'Malleus', 10, 20, 30), ...samples('killed', 'Malleus', 999)]
    expect(cellOf(taken, 'stopped', 'Malleus')).toEqual({ count: 3, p99: 30, worst: 30, failed: 0, givenUp: 0 })
    expect(markdownCells(taken, 'stopped', 'Malleus')).toBe('30.0 ms / 30.0 ms; 0 of 3')
  })

  test('says that what was given up took longer than anybody knows', () => {
    const taken = [...samples('stopped', 'direct', 9_999), ...given('stopped', 'direct', 9_900)]
    expect(cellOf(taken, 'stopped', 'direct')).toMatchObject({ p99: 9_999, worst: 9_999, failed: 1, givenUp: 1 })
    expect(markdownCells(taken, 'stopped', 'direct')).toBe('> 9999 ms / > 9999 ms; 1 of 2')
  })

  test('does not mark a p99 that is known', () => {
    const taken = [
      ...samples('stopped', 'direct', ...Array.from({ length: 199 }, () => 5)),
      ...given('stopped', 'direct', 10_000),
    ]
    expect(markdownCells(taken, 'stopped', 'direct')).toBe('5.00 ms / > 10000 ms; 1 of 200')
  })
})

describe('the bounds', () => {
  const rivals = ['haproxy, HTTP check', 'DNS, curl', 'DNS, incus'] as const
  const at = (own: number, others: number): Sample[] => [
    ...samples('stopped', 'Malleus', own),
    ...rivals.flatMap((front) => samples('stopped', front, others)),
  ]
  const verdicts = (taken: readonly Sample[], onTime = true): string[] =>
    bounds(taken, ['stopped'], onTime).map(({ verdict }) => verdict)

  test('are kept by quick answers where all others are slow', () =>
    expect(new Set(verdicts(at(100, 3_000)))).toEqual(new Set(['kept'])))

  test('are missed where others are less than twenty times slower', () =>
    expect(verdicts(at(100, 1_900))).toEqual(['kept', 'kept', 'missed', 'missed', 'missed']))

  test('are missed by slow answers and by failed ones', () => {
    expect(verdicts(at(301, 9_000))[0]).toBe('missed')
    expect(verdicts([...at(10, 3_000), ...given('stopped', 'Malleus', 20)])[1]).toBe('missed')
  })

  test('are not judged on a machine that was too busy', () =>
    expect(new Set(verdicts(at(301, 100), false))).toEqual(new Set(['undecided'])))

  test('hold a slow member against healthy ones', () => {
    const slow = (ms: number): string | undefined =>
      bounds([...samples('healthy', 'Malleus', 10), ...samples('slow', 'Malleus', ms)], ['slow'], true)[0]?.verdict
    expect(slow(15)).toBe('kept')
    expect(slow(16)).toBe('missed')
  })

  test('hold a slow member that is known as one against healthy ones by itself', () => {
    const moments = samples('slow', 'Malleus', 90, 12).map((sample, index) => ({ ...sample, at: 3_000 * index }))
    const taken = [...samples('healthy', 'Malleus', 10), ...moments]
    expect(bounds(taken, ['slow'], true).map(({ verdict }) => verdict)).toEqual(['missed', 'kept'])
  })
})
