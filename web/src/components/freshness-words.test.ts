import { expect, test } from 'vitest'
import { formatClock } from '../lib/time.ts'
import { describeOld } from './freshness-words.ts'

const asOf = '2026-01-01T12:00:00.000Z'

test('what is not of now is told with its age and why', () => {
  expect(describeOld('It', { kind: 'fresh', asOf })).toBeUndefined()
  expect(describeOld('It', { kind: 'stale', asOf, reason: 'The cluster database does not answer.' })).toBe(
    `It is as of ${formatClock(asOf)}: the cluster database does not answer.`,
  )
  expect(describeOld('It', { kind: 'unavailable', reason: 'server3 hangs.' })).toBe('It is not known: server3 hangs.')
})
