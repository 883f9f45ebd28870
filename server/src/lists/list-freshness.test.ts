import { describe, expect, it, test } from 'vitest'
import { nothingKnown } from './known-list.ts'
import type { KnownList } from './known-list.ts'
import { listFreshness, memberFreshness } from './list-freshness.ts'

const second = (n: number) => new Date(n * 1_000).toISOString()
const reading = { now: 100_000, everyMs: 15_000, failure: null }
const listed: KnownList<string> = {
  ...nothingKnown<string>(),
  listedAt: 90_000,
  toldAt: new Map([
    ['server1', 90_000],
    ['server3', 40_000],
  ]),
  untold: new Set(['server3', 'server4']),
}
const untoldReason = (name: string) => `${name} did not answer the other servers when they asked for its part.`

describe('how current the rows of a member are', () => {
  test.each<[string, KnownList<string>, string, string | null, object, object]>([
    ['told', listed, 'server1', null, {}, { kind: 'fresh', asOf: second(90) }],
    ['nothing on it', listed, 'server2', null, {}, { kind: 'fresh', asOf: second(90) }],
    [
      'silent at this moment',
      listed,
      'server1',
      'The server is stuck.',
      {},
      { kind: 'stale', asOf: second(90), reason: 'The server is stuck.' },
    ],
    [
      'silent, and named only',
      listed,
      'server3',
      'The server is stuck.',
      {},
      { kind: 'stale', asOf: second(40), reason: 'The server is stuck.' },
    ],
    [
      'named only, though it answers us',
      listed,
      'server3',
      null,
      {},
      { kind: 'stale', asOf: second(40), reason: untoldReason('server3') },
    ],
    ['never told', listed, 'server4', null, {}, { kind: 'unavailable', reason: untoldReason('server4') }],
    [
      'never told, and silent',
      listed,
      'server4',
      'The server is stuck.',
      {},
      { kind: 'unavailable', reason: 'The server is stuck.' },
    ],
    [
      'the latest reading failed',
      listed,
      'server1',
      null,
      { failure: 'No.' },
      { kind: 'stale', asOf: second(90), reason: 'No.' },
    ],
    [
      'not read for long',
      listed,
      'server1',
      null,
      { now: 130_000 },
      { kind: 'stale', asOf: second(90), reason: 'It has not been read since.' },
    ],
    [
      'no list yet',
      nothingKnown(),
      'server1',
      null,
      {},
      { kind: 'unavailable', reason: 'The cluster has not answered yet; it is still being asked.' },
    ],
    [
      'no list yet, and it failed',
      nothingKnown(),
      'server1',
      null,
      { failure: 'No.' },
      { kind: 'unavailable', reason: 'No.' },
    ],
    [
      'no list yet, and silent',
      nothingKnown(),
      'server1',
      'The server is stuck.',
      {},
      { kind: 'unavailable', reason: 'The server is stuck.' },
    ],
  ])('%s', (_what, list, member, silence, more, expected) => {
    expect(memberFreshness(list, member, silence, { ...reading, ...more })).toEqual(expected)
  })
})

describe('how current it is which objects there are', () => {
  it('is fresh when the list was read, whoever was silent', () => {
    expect(listFreshness(listed, reading)).toEqual({ kind: 'fresh', asOf: second(90) })
  })
  it('is fresh when only the names were', () => {
    expect(listFreshness({ ...nothingKnown(), namedAt: 95_000 }, reading)).toEqual({ kind: 'fresh', asOf: second(95) })
  })
  it('is unavailable when nothing was', () => {
    expect(listFreshness(nothingKnown(), { ...reading, failure: 'No.' })).toEqual({
      kind: 'unavailable',
      reason: 'No.',
    })
  })
})
