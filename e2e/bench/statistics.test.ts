import { describe, expect, it } from 'vitest'
import { maximum, median, minimum, percentile, theilSen } from './statistics.ts'

describe('percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)
  it.each([
    [0, 1],
    [0.5, 50],
    [0.99, 99],
    [0.991, 100],
    [1, 100],
  ])('of 1 to 100 in any order, %d is %d', (share, expected) => {
    expect(percentile(hundred, share)).toBe(expected)
  })

  it('is a value that was measured, never one in between', () => {
    const values = [1, 1000]
    for (let share = 0; share <= 1; share += 0.01) expect(values).toContain(percentile(values, share))
  })

  it('of nothing is no number', () => {
    expect(percentile([], 0.5)).toBeNaN()
  })
})

describe('median', () => {
  it.each([
    [[3, 1, 2], 2],
    [[4, 1, 2, 3], 2.5],
    [[7], 7],
    [[], Number.NaN],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected)
  })
})

describe('maximum', () => {
  it('is the largest, and no number of nothing', () => {
    expect([maximum([-3, -1, -2]), maximum([])]).toEqual([-1, Number.NaN])
  })
})

describe('minimum', () => {
  it('is the smallest, and no number of nothing', () => {
    expect([minimum([3, 1, 2]), minimum([])]).toEqual([1, Number.NaN])
  })
})

describe('theilSen', () => {
  const line = (slope: number, n: number) => Array.from({ length: n }, (_, at) => ({ at, value: 5 + slope * at }))

  it('finds the slope of a line exactly', () => {
    expect(theilSen(line(2, 20))).toEqual({ slope: 2, low: 2, high: 2 })
  })

  it('is not bent by one odd sample', () => {
    const samples = line(0, 60).map((sample) => (sample.at === 30 ? { ...sample, value: 1e6 } : sample))
    expect(theilSen(samples).slope).toBe(0)
  })

  it('holds the true slope of a noisy line in its interval', () => {
    // In place of noise: up to 10 up and down around a rise of 1, without a period that the samples share.
    const samples = line(1, 200).map(({ at, value }) => ({ at, value: value + 10 * Math.sin(at * at) }))
    const { low, high } = theilSen(samples)
    expect(low).toBeLessThan(1)
    expect(high).toBeGreaterThan(1)
    expect(high - low).toBeLessThan(0.1)
  })

  it('says nothing of fewer than two moments', () => {
    expect(theilSen([{ at: 1, value: 1 }]).slope).toBeNaN()
  })
})
