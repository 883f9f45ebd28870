import { expect, test } from 'vitest'
import type { DriftFacts, KeptChange } from './drift.ts'
import { ARRIVAL_MS, describeFormer, drifted } from './drift.ts'

const at = Date.UTC(2026, 10, 22, 6, 12)
const later = at + ARRIVAL_MS
const changes: readonly KeptChange[] = [
  { at, fingerprint: 'new', before: 'old', absent: [{ member: 'server3', why: 'It was stuck.' }] },
  { at: at - 86_400_000, fingerprint: 'old', before: 'older', absent: [] },
]
type Shows = DriftFacts['members'][number]
const shows = (fingerprint: string | null, more: Partial<Shows> = {}): Shows => ({
  member: 'server2',
  answers: true,
  fingerprint,
  seenAt: later,
  ...more,
})

test.each<[string, Shows, Partial<DriftFacts>, string | null]>([
  ['the same', shows('new'), {}, null],
  ['the one before', shows('old'), {}, 'It presents the one that the cluster had until 2026-11-22 06:12 UTC.'],
  ['one of long ago', shows('older'), {}, 'It presents the one that the cluster had until 2026-11-21 06:12 UTC.'],
  ['another one that is trusted', shows('other'), {}, 'It presents another certificate than the cluster has.'],
  [
    'the one before, after it was away during the update',
    shows('old', { member: 'server3' }),
    {},
    'It presents the one that the cluster had until 2026-11-22 06:12 UTC. It did not answer during the update of 2026-11-22 06:12 UTC: It was stuck.',
  ],
  ['the one before, in a handshake from when the new one arrived', shows('old', { seenAt: later - 1 }), {}, null],
  ['the one before, and does not answer now', shows('old', { answers: false }), {}, null],
  ['nothing yet', shows(null, { seenAt: null }), {}, null],
  ['anything, while it is not known what the cluster has', shows('old'), { current: null }, null],
  ['anything, before it is known since when the cluster has it', shows('old'), { current: 'newest' }, null],
  ['anything, when nothing is known of the past', shows('old'), { changes: [] }, null],
])('a server that presents %s', (_, member, more, reason) => {
  const found = drifted({ current: 'new', changes, members: [member], ...more })
  expect(found.map((each) => each.reason)).toEqual(reason === null ? [] : [reason])
})

test("a certificate that never was the cluster's is no former one", () => {
  expect(describeFormer('old', changes)).toBe('It is the one that the cluster had until 2026-11-22 06:12 UTC.')
  expect(describeFormer('new', changes)).toBeUndefined()
})
