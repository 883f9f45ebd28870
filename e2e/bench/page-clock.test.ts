import { describe, expect, it } from 'vitest'
import { clockOffset } from './page-clock.ts'

describe('clockOffset', () => {
  it('believes the reading that took least time', () => {
    const readings = [
      { askedAt: 0, answeredAt: 50, said: 999 },
      { askedAt: 100, answeredAt: 102, said: 106 },
      { askedAt: 200, answeredAt: 220, said: 999 },
    ]
    expect(clockOffset(readings)).toEqual({ aheadMs: 5, errorMs: 1 })
  })

  it('says that it does not know without a reading', () => {
    expect(clockOffset([]).aheadMs).toBeNaN()
  })
})
