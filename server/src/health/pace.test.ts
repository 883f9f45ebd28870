import { describe, expect, test } from 'vitest'
import { healthSettings } from './health-settings.ts'
import { isSlow, slowThresholdMs } from './pace.ts'

const settings = healthSettings()

describe('what is slow beside the others', () => {
  test.each<[string, number[], number]>([
    ['1 ms and 4 ms are the same to a person', [1, 1, 1], 50],
    ['three times the median', [30, 40, 50], 120],
    ['one slow member does not move the median', [20, 20, 20, 300], 60],
    ['never above the time a probe has', [200, 200, 200], 400],
    ['alone, only what comes after its time', [], 400],
  ])('%s', (_, medians, threshold) => {
    expect(slowThresholdMs(medians, settings)).toBe(threshold)
  })
})

describe('a member', () => {
  const quick = (count: number) => Array.from({ length: count }, () => 2)
  const late = (count: number) => Array.from({ length: count }, () => 90)

  test.each<[string, boolean | 'returning', number[], boolean]>([
    ['without answers is not slow', false, [], false],
    ['that answers quickly is not', false, quick(120), false],
    ['with two slow answers in a row is not yet', false, [...quick(100), ...late(2)], false],
    ['with three slow answers in a row is, at once', false, [...quick(100), ...late(3)], true],
    ['is slow by one answer that came after its time', false, [...quick(100), 401], true],
    ['with one slow answer in thirty is not', false, [...quick(15), ...late(1), ...quick(14)], false],
    [
      'with every tenth slow is, by its 95th percentile',
      false,
      [...Array(9).keys()].flatMap(() => [...late(1), ...quick(9)]),
      true,
    ],
    ['with a few answers is not judged by their slowest', false, [...quick(5), ...late(1), ...quick(5)], false],
    ['stays slow while one of the last ten was', true, [...late(5), ...quick(9)], true],
    ['stops being slow after ten in a row', true, [...late(5), ...quick(10)], false],
    ['that came back with a late answer is slow', 'returning', [...quick(1), 1_900, ...quick(1)], true],
    ['that came back is not after two good answers', 'returning', [...quick(1), 1_900, ...quick(2)], false],
    ['stays slow until there are ten answers', true, quick(9), true],
  ])('%s', (_, wasSlow, answers, slow) => {
    expect(isSlow(wasSlow, answers, 50, settings)).toBe(slow)
  })
})
