import { describe as suite, expect, test } from 'vitest'

import { judge, notRun } from './test.mjs'
import { add, describe } from './tally.mjs'

suite('the closing line', () => {
  test('sums what every part left', () => {
    const parts = [
      { passed: 5, failed: 0, skipped: 0 },
      { passed: 800, failed: 1, skipped: 2 },
    ]
    expect(describe(add(parts))).toBe('805 passed, 1 failed, 2 skipped')
  })

  test('does not mention skipped tests when there are none', () => {
    expect(describe(add([{ passed: 5, failed: 0, skipped: 0 }]))).toBe('5 passed, 0 failed')
  })
})

suite('a part of the run', () => {
  const green = { passed: 3, failed: 0, skipped: 0 }
  const red = { passed: 3, failed: 2, skipped: 0 }

  test.each([
    ['ends well and says so', 0, [green], 0],
    ['has failed tests and says so', 1, [red], 2],
    ['ends badly without a failed test', 1, [green], 1],
    ['has failed tests and ends as if it had none', 0, [red], 3],
    ['says nothing at all', 0, [], 1],
    ['is killed before it says anything', 137, [], 1],
  ])('that %s', (name, code, tallies, failed) => {
    expect(judge(code, tallies).failed).toBe(failed)
  })

  test('that cannot run on this machine is skipped', () => {
    expect(notRun('there is no Chromium', {})).toMatchObject({ failed: 0, skipped: 1, reason: 'there is no Chromium' })
  })

  test('that cannot run on a CI machine is a failure', () => {
    expect(notRun('there is no Chromium', { CI: 'true' })).toMatchObject({ failed: 1, skipped: 0 })
  })
})
