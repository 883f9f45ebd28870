import { expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { VisitBudget } from './visit-budget.ts'

test('twenty paths are looked at closer when a server fails, and not for as long as it is down', async () => {
  const clock = new ManualClock()
  const budget = new VisitBudget(clock)
  const takenIn = async (seconds: number): Promise<number> => {
    let taken = 0
    for (let second = 0; second < seconds; second += 1) {
      for (let path = 0; path < 20; path += 1) if (budget.take(3)) taken += 3
      await clock.pass(1_000)
    }
    return taken
  }
  expect(await takenIn(1)).toBe(60)
  expect(await takenIn(60)).toBeLessThanOrEqual(80 + 4 * 61)
  await clock.pass(60_000)
  expect(budget.take(80)).toBe(true)
  expect(budget.take(1)).toBe(false)
})
