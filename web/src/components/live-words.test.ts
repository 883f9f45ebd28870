import { expect, test } from 'vitest'
import type { LivePhase } from '../api/follow-live.ts'
import { describeLive, describeLoss } from './live-words.ts'

test.each<[LivePhase, number | null, string]>([
  ['connecting', null, 'unknown: Connecting'],
  ['live', 1000, 'good: Live, 0.4 s ago'],
  ['live', -5000, 'warning: Not live for 6 s, connecting'],
  ['waiting', 1000, 'warning: Not live for 0.4 s, connecting'],
  ['connecting', -10_600, 'warning: Not live for 12 s, connecting'],
  ['ended', 1000, 'unknown: Not live: signed out'],
])('%s, last heard at %s: "%s"', (phase, heardAt, text) => {
  const said = describeLive(phase, heardAt, 1400)
  expect(`${said.tone}: ${said.text}`).toBe(text)
})

test.each<[LivePhase, number | null, boolean]>([
  ['connecting', null, false],
  ['live', 0, false],
  ['waiting', 5999, false],
  ['waiting', 6000, true],
  ['connecting', 60_000, true],
  ['live', 6000, true],
  ['ended', 60_000, false],
])('%s, silent for %s ms: said across the page: %s', (phase, silentMs, said) => {
  const now = Date.parse('2026-11-22T06:12:00.000Z')
  const text = describeLoss(phase, silentMs === null ? null : now - silentMs, now)
  expect(text !== '').toBe(said)
  expect(text).toMatch(
    said ? /^The console has not answered for \d+ s\. What you see was last known at \d\d:\d\d:\d\d/ : /^$/,
  )
})
