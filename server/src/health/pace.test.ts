import { describe, expect, test } from 'vitest'
import { healthSettings } from './health-settings.ts'
import type { Answer, Pace } from './pace.ts'
import { asksSoon, isLateTogether, isSlow, slowThresholdMs } from './pace.ts'

const settings = healthSettings()

describe('what is slow beside the others', () => {
  test.each<[string, number[], number | null, number]>([
    ['1 ms and 4 ms are the same to a person', [1, 1, 1], 1, 15],
    ['three times the median', [30, 40, 50], 30, 120],
    ['one slow member does not move the median', [20, 20, 20, 300], 20, 60],
    ['never above the time a probe has', [200, 200, 200], 200, 400],
    ['alone, only what comes after its time', [], 2, 400],
    ['three times what is usual for one that is further away', [2, 2], 12, 36],
    ['but not so much further away', [2, 2], 30, 50],
    ['beside far ones, whatever is usual for it', [30, 30], 90, 90],
    ['before anything is usual', [2, 2], null, 15],
  ])('%s', (_, medians, usual, threshold) => {
    expect(slowThresholdMs(medians, usual, settings)).toBe(threshold)
  })
})

const now = 100_000
const quick = (count: number) => Array.from({ length: count }, () => 2)
const late = (count: number) => Array.from({ length: count }, () => 90)

/** Answers that were asked for one after the other, with a pause between them; the last one comes now. */
function answersOf(pauseMs: number, ...times: number[]): Answer[] {
  const answers: Answer[] = []
  let at = now
  for (const ms of times.toReversed()) {
    answers.unshift({ at, ms, lostMs: 0 })
    at -= ms + pauseMs
  }
  return answers
}

const inTurn = (...times: number[]) => answersOf(450, ...times)
const soon = (...times: number[]) => answersOf(30, ...times)

/** A member that was well so far, beside two that are. */
function pace(given: Partial<Pace>, peers: Partial<Pace['peers']> = {}): Pace {
  return {
    wasSlow: false,
    answersMs: quick(50),
    usualMs: 2,
    lateTogether: false,
    lately: [],
    peers: { mediansMs: [2, 2], sharesAbove: () => [0, 0.01], since: () => [2, 3], ...peers },
    now,
    ...given,
  }
}

describe('by its latest answers a member', () => {
  test.each<[string, Answer[], boolean]>([
    ['without any is not slow', [], false],
    ['that answers quickly is not', inTurn(2, 2, 2), false],
    ['with one slow answer is not', inTurn(2, 2, 90), false],
    ['with two slow answers is not yet', inTurn(2, 90, 90), false],
    [
      'with three slow answers in their turn is not yet, being well in between for all that is known',
      inTurn(90, 90, 90),
      false,
    ],
    ['with three slow answers in a quarter of a second is not yet', soon(2, 60, 60, 60), false],
    ['with slow answers for half a second is', soon(2, 60, 60, 60, 60, 60, 60), true],
    ['that is late by as much again and again is, after half a second', soon(2, 2, 120, 120, 120, 120), true],
    ['that is later is after three answers', soon(2, 2, 300, 300, 300), true],
    ['with two slow answers is not, however late', soon(2, 2, 390, 390), false],
    ['is not slow for half a second of which it was late once', soon(390, 2, 2, 2, 90), false],
    ['is slow if one in four was not', soon(120, 120, 2, 120, 120, 120), true],
    ['is not slow if it was held up a few times in a second', answersOf(150, 63, 2, 215, 2, 142), false],
    ['is not slow if it stood still once and was late twice', soon(38, 4, 5, 12, 4, 22, 6, 17, 300), false],
    ['is not slow by answers before the latest, which was quick', soon(120, 120, 120, 120, 2), false],
    ['is slow although it was quick a moment before', soon(2, 2, 2, 2, 2, 2, 120, 120, 120, 120), true],
    ['is slow by one answer that came after its time', inTurn(2, 401), true],
    ['is not slow by one that came just in time', inTurn(2, 400), false],
  ])('%s', (_, lately, slow) => {
    expect(isSlow(pace({ lately }), settings)).toBe(slow)
  })
})

test('time in which this console was busy counts neither for a member nor against it', () => {
  // Each answer took twice as long as the member: the console was busy for the rest.
  const lately = [0, 1, 2, 3, 4].map((n) => ({ at: now - (4 - n) * 180, ms: 50, lostMs: 100 }))
  expect(isSlow(pace({ lately }), settings)).toBe(true)
  expect(isSlow(pace({ lately: lately.map((each) => ({ ...each, lostMs: 0 })) }), settings)).toBe(false)
})

describe('beside others, a member', () => {
  const lately = soon(120, 120, 120, 120)

  test.each<[string, Partial<Pace['peers']>, boolean]>([
    ['is slow if they answered quickly in that time', {}, true],
    ['is slow if it is three times as late as they are now', { since: () => [35, 39, 39] }, true],
    ['is not slow if they became late in the same moment', { since: () => [41, 41, 41] }, false],
    ['is not slow if most became late in the same moment', { since: () => [2, 110, 130] }, false],
    ['is slow if one other became slow with it, and one did not', { since: () => [2, 3, 110, 130] }, true],
    ['is not slow as long as nobody else has answered since', { since: () => [] }, false],
    ['is not slow alone, as nobody knows what is usual', { mediansMs: [], since: () => [] }, false],
    ['is not slow where all are far away', { mediansMs: [45, 50], since: () => [45, 50] }, false],
  ])('%s', (_, peers, slow) => {
    expect(isSlow(pace({ lately }, peers), settings)).toBe(slow)
  })

  test('is asked about those who answered since its first slow answer was asked for', () => {
    const asked: number[] = []
    const since = (askedAt: number) => {
      asked.push(askedAt)
      return []
    }
    isSlow(pace({ lately }, { since }), settings)
    expect(asked).toEqual([now - 4 * 120 - 3 * 30])
  })

  test.each<[string, number[], boolean]>([
    ['that answers once after its time is slow', [2, 2], true],
    ['that answers once after its time is slow if nobody else answered since', [], true],
    ['that answers after its time like the others is not', [390, 401], false],
  ])('%s', (_, beside, slow) => {
    expect(isSlow(pace({ lately: inTurn(2, 450) }, { since: () => beside }), settings)).toBe(slow)
  })
})

describe('members are late together', () => {
  const lately = soon(120, 120, 120, 120)

  test.each<[string, Partial<Pace>, readonly number[], boolean]>([
    ['if one would be slow and the others are as late', { lately }, [110, 130], true],
    ['if one would be slow and most are as late', { lately }, [2, 110, 130], true],
    ['not if one is slow', { lately }, [2, 3], false],
    ['not if nobody else has answered since', { lately }, [], false],
    ['not if one is late for a moment', { lately: soon(2, 120) }, [110, 130], false],
    ['not if one was slow before', { lately, wasSlow: true }, [110, 130], false],
  ])('%s', (_, given, beside, together) => {
    expect(isLateTogether(pace(given, { since: () => beside }), settings)).toBe(together)
  })
})

describe('by its 95th percentile a member', () => {
  const everyTenth = [...Array(9).keys()].flatMap(() => [...late(1), ...quick(9)])

  test.each<[string, number[], Partial<Pace['peers']>, boolean]>([
    ['that is slow every tenth time is slow', everyTenth, {}, true],
    ['that is slow once in thirty is not', [...quick(15), ...late(1), ...quick(14)], {}, false],
    ['with a few answers is not judged by their slowest', [...quick(5), ...late(1), ...quick(5)], {}, false],
    ['that is late as often as the others is not', everyTenth, { sharesAbove: () => [0.05, 0.08] }, false],
    [
      'that is late more than three times as often as the others is',
      everyTenth,
      { sharesAbove: () => [0.03, 0.03] },
      true,
    ],
    ['that is late as often as one of them is', everyTenth, { sharesAbove: () => [0, 0.1] }, true],
    ['that is alone and late every tenth time is', everyTenth, { sharesAbove: () => [] }, true],
  ])('%s', (_, answersMs, peers, slow) => {
    expect(isSlow(pace({ answersMs }, peers), settings)).toBe(slow)
  })
})

describe('a member that was slow', () => {
  test.each<[string, true | 'returning', number[], boolean]>([
    ['stays slow while one of the last ten was', true, [...late(5), ...quick(9)], true],
    ['is no longer after ten in a row', true, [...late(5), ...quick(10)], false],
    ['and came back with a late answer is', 'returning', [...quick(1), 1_900, ...quick(1)], true],
    ['and came back is not after two good answers', 'returning', [...quick(1), 1_900, ...quick(2)], false],
    ['stays slow until there are ten answers', true, quick(9), true],
  ])('%s', (_, wasSlow, answersMs, slow) => {
    expect(isSlow(pace({ wasSlow, answersMs }), settings)).toBe(slow)
  })

  test('is not well again because the others are late for a moment', () => {
    expect(isSlow(pace({ wasSlow: true, answersMs: late(20) }, { since: () => [300] }), settings)).toBe(true)
  })
})

describe('a member is asked again at once', () => {
  test.each<[string, Answer[], number | null, boolean]>([
    ['not without an answer', [], null, false],
    ['not while it answers as usual', inTurn(2, 2, 2), 2, false],
    ['not for a few milliseconds', inTurn(2, 2, 8), 1, false],
    ['after a late answer', inTurn(2, 2, 9), 1, true],
    ['after a late answer, though it may be no slow one', inTurn(2, 2, 12), 2, true],
    ['not if that is usual for it, being further away than the others', inTurn(20, 20, 20), 20, false],
    ['if it is later than usual for it', inTurn(20, 20, 49), 16, true],
    ['if it is slow beside the others, whatever is usual for it', inTurn(40, 40, 55), 40, true],
    ['before anything is usual', inTurn(30), null, true],
    ['once more, if the next answer was in time', soon(2, 2, 90, 2), 2, true],
    ['not after two answers in time', soon(2, 90, 2, 2), 2, false],
    ['a few times if it is late and not slow', soon(12, 12, 12), 2, true],
    ['not again if it stays late and not slow', soon(12, 12, 12, 12), 2, false],
    ['again if it was late and then becomes slow', soon(12, 12, 12, 90), 2, true],
    ['as often as it takes to tell a slow one', soon(...late(8)), 2, true],
    ['not too often', answersOf(8, ...Array.from({ length: 30 }, () => 20)), 2, false],
    ['for longer than a second, while the others are in time', soon(2, ...late(9)), 2, true],
  ])('%s', (_, lately, usualMs, asks) => {
    expect(asksSoon(pace({ lately, usualMs }), settings)).toBe(asks)
  })

  test('not after a second of it, if all are late together', () => {
    const asks = (count: number) => asksSoon(pace({ lately: soon(2, ...late(count)), lateTogether: true }), settings)
    expect(asks(4)).toBe(true)
    expect(asks(9)).toBe(false)
  })

  test('not when it is known to be slow', () => {
    expect(asksSoon(pace({ wasSlow: true, lately: soon(90, 90) }), settings)).toBe(false)
  })
})
