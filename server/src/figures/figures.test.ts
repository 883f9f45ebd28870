import { ClusterFigures } from '@malleus/shared/api/clusters.ts'
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { Figures } from './figures.ts'
import { Histogram, quantileOf } from './histogram.ts'

describe('figures', () => {
  test('before there is anything to measure say so', () => {
    expect(ClusterFigures.parse(new Figures(new ManualClock()).view())).toMatchObject({
      requests: { served: 0, failed: 0, hedged: 0 },
      slowest1Ms: null,
      directSlowest1Ms: null,
    })
  })

  test('count what was served, failed and hedged in the last hour, and forget the rest', async () => {
    const clock = new ManualClock()
    const figures = new Figures(clock)
    for (let n = 0; n < 10; n += 1) figures.served({ ok: true, hedged: n < 2, readMs: 5 })
    figures.served({ ok: false, hedged: false, readMs: 5_000 })
    expect(figures.view().requests).toEqual({ served: 10, failed: 1, hedged: 2 })
    await clock.pass(59 * 60_000)
    figures.served({ ok: true, hedged: false, readMs: null })
    expect(figures.view().requests).toEqual({ served: 11, failed: 1, hedged: 2 })
    await clock.pass(60_000)
    expect(figures.view().requests).toEqual({ served: 1, failed: 0, hedged: 0 })
  })

  test('the slowest of a hundred reads, beside the same of direct questions', () => {
    const figures = new Figures(new ManualClock())
    for (let n = 0; n < 1_000; n += 1) {
      figures.served({ ok: true, hedged: false, readMs: n < 980 ? 4 : 120 })
      figures.direct(n < 980 ? 1 : 30)
    }
    const { slowest1Ms, directSlowest1Ms } = figures.view()
    expect(slowest1Ms).toBeGreaterThan(117)
    expect(slowest1Ms).toBeLessThan(123)
    expect(directSlowest1Ms).toBeGreaterThan(29)
    expect(directSlowest1Ms).toBeLessThan(31)
  })

  test('failed requests and changes are not among the reads', () => {
    const figures = new Figures(new ManualClock())
    for (let n = 0; n < 50; n += 1) {
      figures.served({ ok: false, hedged: false, readMs: 9_000 })
      figures.served({ ok: true, hedged: false, readMs: null })
    }
    expect(figures.view().slowest1Ms).toBeNull()
  })
})

describe('a histogram', () => {
  test.each([0.02, 0.4, 1, 7.3, 250, 34_000])('is right to two per cent: %f ms', (ms) => {
    const histogram = new Histogram()
    histogram.record(ms)
    expect(quantileOf([histogram], 0.99)! / ms).toBeGreaterThan(0.98)
    expect(quantileOf([histogram], 0.99)! / ms).toBeLessThan(1.021)
  })

  test('several are as one', () => {
    const histograms = Array.from({ length: 10 }, (_, index) => {
      const histogram = new Histogram()
      for (let n = 0; n < 10; n += 1) histogram.record(index * 10 + n + 1)
      return histogram
    })
    expect(quantileOf(histograms, 0.5)).toBeCloseTo(50, -1)
    expect(quantileOf([], 0.5)).toBeNull()
  })
})
