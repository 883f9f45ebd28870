import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { LivePhase } from '../api/follow-live.ts'
import { createStore } from '../lib/store.ts'
import { announceLiveLink } from './announce-live-link.ts'

const lost = 'This page is not live: the console does not answer. What it shows is what was last known.'
const back = 'This page is live again.'

/** The phases of the link, each so many milliseconds long, and what is said by the end. */
function listen(story: readonly (readonly [LivePhase, number])[]): readonly string[] {
  const phase = createStore<LivePhase>('connecting')
  const said: string[] = []
  const stop = announceLiveLink(phase, (text) => said.push(text))
  for (const [next, ms] of story) {
    phase.set(next)
    vi.advanceTimersByTime(ms)
  }
  stop()
  vi.advanceTimersByTime(60_000)
  return said
}

describe('what is said of the live link', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test.each<[string, readonly (readonly [LivePhase, number])[], readonly string[]]>([
    ['nothing while it begins', [['connecting', 60_000]], []],
    ['nothing while it is live', [['live', 60_000]], []],
    [
      'nothing of a blink',
      [
        ['live', 100],
        ['waiting', 200],
        ['connecting', 100],
        ['live', 5000],
      ],
      [],
    ],
    [
      'that it is lost',
      [
        ['live', 100],
        ['waiting', 3000],
      ],
      [lost],
    ],
    [
      'that once, however often it tries',
      [
        ['live', 1],
        ['waiting', 2000],
        ['connecting', 2000],
        ['waiting', 9000],
      ],
      [lost],
    ],
    [
      'that it is back',
      [
        ['live', 1],
        ['waiting', 4000],
        ['connecting', 10],
        ['live', 10],
      ],
      [lost, back],
    ],
    [
      'nothing of the end of the session',
      [
        ['live', 1],
        ['ended', 60_000],
      ],
      [],
    ],
    [
      'nothing after the page is gone',
      [
        ['live', 1],
        ['waiting', 1000],
      ],
      [],
    ],
  ])('%s', (_, story, said) => {
    expect(listen(story)).toEqual(said)
  })
})
