import type { Page } from '@playwright/test'

/** One question for the time: when it was asked and answered here, and what the other clock said. */
export interface ClockReading {
  readonly askedAt: number
  readonly answeredAt: number
  readonly said: number
}

/** How far the other clock is ahead of ours, from the reading that took least time; wrong by at most half of that time. */
export function clockOffset(readings: readonly ClockReading[]): { readonly aheadMs: number; readonly errorMs: number } {
  const [best] = readings.toSorted((a, b) => a.answeredAt - a.askedAt - (b.answeredAt - b.askedAt))
  if (best === undefined) return { aheadMs: Number.NaN, errorMs: Number.NaN }
  return {
    aheadMs: best.said - (best.askedAt + best.answeredAt) / 2,
    errorMs: (best.answeredAt - best.askedAt) / 2,
  }
}

/** Milliseconds since 1970 that run steadily; a page has its own with the same meaning. */
export function steadyNow(): number {
  return performance.timeOrigin + performance.now()
}

export async function readPageClock(page: Page): Promise<ClockReading[]> {
  const readings: ClockReading[] = []
  for (let count = 0; count < 30; count++) {
    const askedAt = steadyNow()
    const said = await page.evaluate(() => performance.timeOrigin + performance.now())
    readings.push({ askedAt, answeredAt: steadyNow(), said })
  }
  return readings
}
