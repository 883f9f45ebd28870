import { expect, test } from 'vitest'
import type { LivePhase } from '../api/follow-live.ts'
import { describeLive } from './live-words.ts'

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
