import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { HeldUp } from './held-up.ts'

function watching() {
  const clock = new ManualClock()
  const heldUp = new HeldUp(clock)
  return { clock, heldUp }
}

describe('time in which this console could do nothing', () => {
  test('is none while timers run when they are due', async () => {
    const { clock, heldUp } = watching()
    const end = heldUp.watch()
    await clock.pass(1_000)
    expect(end()).toBe(0)
  })

  test.each([
    [9, 0],
    [11, 31],
    [200, 220],
  ])('held up for %i ms from the moment at which a timer was due: %i ms are lost', async (ms, lost) => {
    const { clock, heldUp } = watching()
    const end = heldUp.watch()
    await clock.pass(99)
    clock.holdUp(1 + ms)
    await clock.pass(50)
    expect(end()).toBe(lost)
  })

  test('counts when the answer is read before the timer that is late', async () => {
    const { clock, heldUp } = watching()
    const end = heldUp.watch()
    await clock.pass(5)
    clock.holdUp(120)
    expect(end()).toBe(125)
  })

  test('counts for each question only what it waited through', async () => {
    const { clock, heldUp } = watching()
    const first = heldUp.watch()
    await clock.pass(10)
    clock.holdUp(100)
    const second = heldUp.watch()
    await clock.pass(50)
    expect(second()).toBe(0)
    expect(first()).toBe(110)
  })

  test('begins anew after nobody watched', async () => {
    const { clock, heldUp } = watching()
    expect(heldUp.watch()()).toBe(0)
    await clock.pass(5_000)
    expect(heldUp.watch()()).toBe(0)
  })
})
