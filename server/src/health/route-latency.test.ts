import { describe, expect, test } from 'vitest'
import { RollingSamples } from './rolling-samples.ts'
import { RouteLatency } from './route-latency.ts'

describe('the hedge delay', () => {
  test('is 100 ms before anything was measured', () => {
    expect(new RouteLatency().hedgeDelayMs('read /', 0)).toBe(100)
  })

  test.each<[string, number[], number]>([
    ['never below 30 ms', [1, 2, 3], 30],
    ['never above 300 ms', [900, 1_000], 300],
    ['the 95th percentile between them', Array.from({ length: 100 }, (_, index) => index + 1), 95],
    ['not moved by one straggler in a hundred', [...Array.from({ length: 99 }, () => 40), 5_000], 40],
  ])('is %s', (_, answers, delay) => {
    const latency = new RouteLatency()
    for (const answerMs of answers) latency.record('read /', answerMs, 10)
    expect(latency.hedgeDelayMs('read /', 10)).toBe(delay)
  })

  test('is measured for each class of route apart', () => {
    const latency = new RouteLatency()
    latency.record('read /cluster/members', 200, 0)
    expect(latency.hedgeDelayMs('read /', 0)).toBe(100)
  })

  test('forgets what is older than a minute', () => {
    const latency = new RouteLatency()
    latency.record('read /', 250, 0)
    latency.record('read /', 50, 60_001)
    expect(latency.hedgeDelayMs('read /', 60_001)).toBe(50)
    expect(latency.hedgeDelayMs('read /', 130_000)).toBe(100)
  })

  test('follows new answers within a second', () => {
    const latency = new RouteLatency()
    latency.record('read /', 50, 0)
    expect(latency.hedgeDelayMs('read /', 0)).toBe(50)
    latency.record('read /', 250, 500)
    expect(latency.hedgeDelayMs('read /', 900)).toBe(50)
    expect(latency.hedgeDelayMs('read /', 1_000)).toBe(250)
  })
})

describe('rolling samples', () => {
  test('a busy minute keeps the newest only', () => {
    const samples = new RollingSamples(60_000, 10)
    for (let value = 0; value < 1_000; value += 1) samples.record(value, value)
    expect(samples.values(1_000)).toEqual([990, 991, 992, 993, 994, 995, 996, 997, 998, 999])
  })

  test('without samples there is no quantile', () => {
    expect(new RollingSamples(60_000).quantile(0.5, 0)).toBeNull()
  })
})
