import { describe, expect, test } from 'vitest'
import { wantRead } from './wanted-read.ts'

/** A clock that only attempts and pauses move. */
function world(attempts: readonly { readonly takesMs: number; readonly answered: boolean }[]) {
  let now = 1_000
  let count = 0
  const patiences: number[] = []
  return {
    patiences,
    attempt: async (patienceMs: number) => {
      patiences.push(patienceMs)
      const { takesMs, answered } = attempts[Math.min(count++, attempts.length - 1)] ?? { takesMs: 0, answered: false }
      now += Math.min(takesMs, patienceMs)
      return { answered: answered && takesMs <= patienceMs }
    },
    wanting: {
      patienceMs: 5_000,
      limitMs: 10_000,
      againAfterMs: 100,
      now: () => now,
      pause: async (ms: number) => {
        now += ms
      },
    },
  }
}

describe('a wanted read', () => {
  test('takes as long as its attempt, when that succeeds', async () => {
    const { attempt, wanting } = world([{ takesMs: 30, answered: true }])
    expect(await wantRead(attempt, wanting)).toEqual({ ms: 30, answered: true, failed: false, attempts: 1 })
  })

  test('goes on after a failure, and counts as failed', async () => {
    const { attempt, wanting } = world([
      { takesMs: 3_000, answered: false },
      { takesMs: 20, answered: true },
    ])
    expect(await wantRead(attempt, wanting)).toEqual({ ms: 3_120, answered: true, failed: true, attempts: 2 })
  })

  test('is given up when it is wanted no longer', async () => {
    const { attempt, wanting, patiences } = world([{ takesMs: 60_000, answered: true }])
    expect(await wantRead(attempt, wanting)).toEqual({ ms: 10_000, answered: false, failed: true, attempts: 2 })
    expect(patiences).toEqual([5_000, 4_900])
  })

  test('is not attempted for ever where each attempt is refused at once', async () => {
    const { attempt, wanting } = world([{ takesMs: 0, answered: false }])
    expect(await wantRead(attempt, wanting)).toEqual({ ms: 9_900, answered: false, failed: true, attempts: 100 })
  })
})
