import { describe, expect, test } from 'vitest'
import { ClockSkewMeter } from './clock-skew.ts'

/** Answers of a member whose clock is that far ahead, asked every 513 ms, each taking 4 ms. */
function measured(skewMs: number, answers: number, meter = new ClockSkewMeter(), from = 1_000_000_337): ClockSkewMeter {
  for (let n = 0; n < answers; n += 1) {
    const askedAt = from + n * 513
    const itsClock = askedAt + 2 + skewMs
    meter.note(askedAt, askedAt + 4, Math.floor(itsClock / 1_000) * 1_000)
  }
  return meter
}

describe('clock skew', () => {
  test('is not known without an answer', () => {
    expect(new ClockSkewMeter().skew).toBeNull()
  })

  test('is known to half a second after one answer, and says so', () => {
    const { skewMs, errorMs } = measured(0, 1).skew!
    expect(errorMs).toBeGreaterThan(400)
    expect(Math.abs(skewMs)).toBeLessThanOrEqual(errorMs)
  })

  test.each([0, 30, -30, 1_700, -6_200, 86_400_000])('of %i ms is found to 20 ms in half a minute', (skew) => {
    const { skewMs, errorMs } = measured(skew, 60).skew!
    expect(Math.abs(skewMs - skew)).toBeLessThanOrEqual(errorMs)
    expect(errorMs).toBeLessThanOrEqual(20)
  })

  test('a clock that is set is believed at once', () => {
    const meter = measured(0, 60)
    measured(10_000, 60, meter, 1_000_100_337)
    expect(Math.abs(meter.skew!.skewMs - 10_000)).toBeLessThanOrEqual(20)
  })
})
