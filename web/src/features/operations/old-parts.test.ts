import type { Freshness } from '@malleus/shared/api/freshness.ts'
import { describe, expect, test } from 'vitest'
import type { OperationList } from '../../api/operations.ts'
import { formatClock } from '../../lib/time.ts'
import { oldParts } from './old-parts.ts'

const at = '2026-11-22T06:12:00.000Z'
const fresh: Freshness = { kind: 'fresh', asOf: at }
const stuck: Freshness = { kind: 'stale', asOf: at, reason: 'The server is stuck.' }
const untold: Freshness = { kind: 'unavailable', reason: 'server4 did not answer the other servers.' }
const clock = formatClock(at)

function said(list: Partial<OperationList>, ...members: readonly (readonly [string, Freshness])[]) {
  const parts = members.map(([name, freshness]) => ({ name, freshness, count: 0 }))
  return oldParts({ operations: [], freshness: fresh, members: parts, ...list }).map(({ sentence }) => sentence)
}

describe('what the page says of servers', () => {
  test('is nothing where all of them are current', () => expect(said({}, ['server1', fresh])).toEqual([]))
  test('is one sentence for each reason', () => {
    expect(said({}, ['server1', fresh], ['server2', stuck], ['server3', stuck], ['server4', untold])).toEqual([
      `What runs on server2 and server3 is as of ${clock}: the server is stuck.`,
      'What runs on server4 is not known: server4 did not answer the other servers.',
    ])
  })
  test('is one sentence where nothing is known at all, or all of it is old', () => {
    const asked: Freshness = { kind: 'unavailable', reason: 'The cluster has not answered yet.' }
    expect(said({ freshness: asked }, ['server1', asked])).toEqual([
      'What runs now is not known yet: the cluster has not answered yet.',
    ])
    const lost: Freshness = { kind: 'stale', asOf: at, reason: 'The cluster database does not answer.' }
    expect(said({ freshness: lost }, ['server1', lost], ['server2', lost])).toEqual([
      `What runs was last known at ${clock}: the cluster database does not answer.`,
    ])
  })
})
