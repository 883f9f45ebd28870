import { AuditRecord } from '@malleus/shared/api/audit.ts'
import type { IncidentSummary } from '@malleus/shared/api/incidents.ts'
import { describe, expect, test } from 'vitest'
import { rangeAround, recordsAround } from './around.ts'
import { describeIncidents } from './incident-list.ts'

const start = Date.parse('2026-01-01T12:00:00.000Z')
const at = (minutes: number) => new Date(start + minutes * 60_000).toISOString()

const summary: IncidentSummary = {
  id: 'i',
  member: 'server3',
  beganAt: at(0),
  beginning: 'seen',
  lastAnswerAt: null,
  end: { how: 'recovered', at: at(5) },
  quietSince: null,
  symptom: 'stuck',
  worst: 'ejected',
  relapses: 0,
  outMs: 1,
  requests: { total: 0, hedged: 0, failed: 0, slowed: 0 },
  cluster: { atFirst: null, offlineAt: null, onlineAt: null },
  panic: false,
  gaps: [],
}

function record(minutes: number): AuditRecord {
  return AuditRecord.parse({
    v: 1,
    chain: 'c',
    seq: 1,
    ts: at(minutes),
    phase: 'event',
    source: 'incus',
    action: 'cluster-member-evacuated',
    cluster: 'prod',
    actor: null,
    src: { ip: null, via: null },
    req: null,
    object: 'server3',
    up: null,
    decision: { allow: true, rule: '' },
    out: null,
    prev: '',
    hash: '',
  })
}

describe('the history around an incident', () => {
  test('is from ten minutes before to ten minutes after', () => {
    const { records, isWhole } = recordsAround([20, 14, 3, -9, -11].map(record), summary)
    expect(records.map(({ ts }) => ts)).toEqual([at(14), at(3), at(-9)])
    expect(isWhole).toBe(true)
  })

  test('goes on while the incident does', () => {
    expect(recordsAround([record(500)], { ...summary, end: null }).records).toHaveLength(1)
  })

  test('is not claimed to be whole where the latest records do not reach back to it', () => {
    const latest = Array.from({ length: 200 }, (_, n) => record(1_000 - n))
    expect(recordsAround(latest, summary)).toEqual({ records: [], isWhole: false })
    expect(recordsAround([...latest.slice(1), record(-20)], summary).isWhole).toBe(true)
  })
})

test.each([
  [10, '1h'],
  [58, '24h'],
  [60 * 30, '7d'],
  [60 * 24 * 7, '30d'],
  [60 * 24 * 100, '30d'],
] as const)('an incident of %d minutes ago is seen in the range of %s', (minutes, range) => {
  expect(rangeAround(summary, start + minutes * 60_000)).toBe(range)
})

test.each([
  [[], false, 'Nothing goes on.'],
  [[summary], false, 'Nothing goes on. One incident is listed.'],
  [[{ ...summary, end: null }, summary], false, 'server3 is in one now. 2 incidents are listed.'],
  [
    [
      { ...summary, end: null },
      { ...summary, end: null },
    ],
    true,
    '2 servers are in one now. The latest 2 are listed.',
  ],
] as const)('the list says %#', (incidents, more, sentence) => {
  expect(describeIncidents(incidents, more)).toBe(sentence)
})
