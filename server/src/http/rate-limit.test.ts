import { describe, expect, it } from 'vitest'
import type { Clock } from '../lib/clock.ts'
import { Refusal } from './problem.ts'
import { RateLimit } from './rate-limit.ts'

function world(perSecond: number, burst?: number, mostKeys?: number) {
  let now = 0
  const clock: Clock = { now: () => now, monotonic: () => now, after: () => () => {} }
  const limit = new RateLimit({
    perSecond,
    clock,
    ...(burst !== undefined && { burst }),
    ...(mostKeys !== undefined && { mostKeys }),
  })
  const taken = (key: string, times: number) =>
    Array.from({ length: times }, () => {
      try {
        limit.take(key)
        return true
      } catch (error) {
        if (error instanceof Refusal) return error.headers['retry-after']
        throw error
      }
    })
  return { limit, taken, pass: (ms: number) => (now += ms) }
}

describe('a rate limit', () => {
  it('lets a burst through and then the rate, and says when to come back', () => {
    const { taken, pass } = world(50, 200)
    expect(taken('a', 200).every((result) => result === true)).toBe(true)
    expect(taken('a', 1)).toEqual(['1'])
    pass(100)
    expect(taken('a', 6)).toEqual([true, true, true, true, true, '1'])
    pass(60_000)
    expect(taken('a', 201).filter((result) => result === true)).toHaveLength(200)
  })

  it('tells beforehand whether there is one left, and takes none for that', () => {
    const { limit, taken, pass } = world(2)
    expect(limit.isSpent('a')).toBe(false)
    expect(taken('a', 1)).toEqual([true])
    expect([limit.isSpent('a'), limit.isSpent('a')]).toEqual([false, false])
    expect(taken('a', 2)).toEqual([true, '1'])
    expect([limit.isSpent('a'), limit.isSpent('b')]).toEqual([true, false])
    pass(500)
    expect(limit.isSpent('a')).toBe(false)
  })

  it('counts each key by itself', () => {
    const { taken } = world(1)
    expect(taken('a', 2)).toEqual([true, '1'])
    expect(taken('b', 1)).toEqual([true])
  })

  it('can be slower than one per second', () => {
    const { taken, pass } = world(0.1, 1)
    expect(taken('a', 2)).toEqual([true, '10'])
    pass(4_000)
    expect(taken('a', 1)).toEqual(['6'])
  })

  it('remembers a bounded number of keys', () => {
    const { taken } = world(1, 1, 2)
    expect(taken('a', 1).concat(taken('b', 1), taken('c', 1), taken('a', 1))).toEqual([true, true, true, true])
    expect(taken('c', 1)).toEqual(['1'])
  })
})
