import type { MemberChange, MemberHealthRecord } from '@malleus/shared/api/member-health.ts'
import { describe, expect, test } from 'vitest'
import { describeChange } from './change-words.ts'
import {
  bandOf,
  changesIn,
  describePiece,
  lastText,
  failedShares,
  lineOf,
  marksOf,
  moveCrosshair,
  pieceText,
  timesOf,
  unwatched,
} from './health-chart.ts'

const start = Date.parse('2026-01-01T12:00:00.000Z')
const at = (seconds: number) => new Date(start + seconds * 1000).toISOString()
const healthy = { standing: 'healthy', symptom: null } as const
const stuck = { standing: 'ejected', symptom: 'stuck' } as const
const reason = { phase: 'tls', message: 'No TLS handshake.' } as const
const gotStuck: MemberChange = { kind: 'standing', at: at(12), before: healthy, after: stuck, reason }

const record: MemberHealthRecord = {
  range: '1h',
  from: at(0),
  to: at(40),
  pieceMs: 10_000,
  answer: { p50: [2, 3, null, null], p95: [4, 5, null, null], p99: [5, 6, null, null], slowest: [9, 12, null, null] },
  connect: [0.4, null, 0.3, null],
  tls: [1, null, null, null],
  database: [3, 3, null, null],
  asked: [20, 20, 4, 0],
  failed: [0, 5, 4, 0],
  standings: ['healthy', 'ejected', 'ejected', null],
  percentiles: [],
  failures: [],
  changes: [gotStuck],
  changesLeftOut: 0,
  changesSince: null,
  marks: [gotStuck],
  gaps: [],
}

describe('what is drawn', () => {
  test('stands in the middle of its piece', () => {
    expect(timesOf(record).map((time) => time - start / 1000)).toEqual([5, 15, 25, 35])
  })

  test('is a gap where nothing answered, and no gap where only no new connection was made', () => {
    expect(lineOf(record.connect, record)).toEqual([0.4, undefined, 0.3, null])
    expect(lineOf(record.tls, record)).toEqual([1, undefined, null, null])
  })

  test('of failures is a share of what was asked, and nothing where nobody asked', () => {
    expect(failedShares(record)).toEqual([0, 25, 100, null])
  })

  test('across is what happened, not what was only learned when the console began to watch', () => {
    const marks: MemberChange[] = [
      gotStuck,
      { ...gotStuck, before: null },
      { ...gotStuck, after: { standing: 'probation', symptom: null } },
      { kind: 'reported', at: at(20), before: 'Online', after: 'Evacuated' },
      { kind: 'reported', at: at(20), before: null, after: 'Online' },
      { kind: 'left', at: at(30) },
    ]
    expect(marksOf({ marks }).map(({ tone }) => tone)).toEqual(['bad', 'info', 'unknown'])
    expect(bandOf(record)).toEqual(['good', 'bad', 'bad', null])
  })

  test('is hatched where nobody measured: while the console did not run, and where nobody asked', () => {
    const spans = unwatched({ ...record, asked: [20, 0, 0, 20, 0], gaps: [{ from: at(5), to: at(12) }] })
    expect(spans.map(({ from, to }) => [from - start / 1000, to - start / 1000])).toEqual([[5, 30]])
    expect(unwatched(record)).toEqual([])
  })
})

describe('what is said of one piece', () => {
  test('is what was measured in it, and what happened', () => {
    expect(describePiece(record, 1)).toContain(
      'ejected, median 3.0 ms, 95 % 5.0 ms, slowest 12 ms, 5 of 20 failed. Stuck (ejected).',
    )
    expect(describePiece(record, 2)).toContain('ejected, no answer, 4 of 4 failed.')
    expect(describePiece(record, 3)).toMatch(/: nobody asked\.$/)
    expect(changesIn(record, 0)).toEqual([])
  })

  test('is when it was, with the day where there are several', () => {
    expect(pieceText(record, 0)).toMatch(/^\d\d:00:00 to \d\d:00:10$/)
    expect(pieceText({ ...record, range: '24h' }, 0)).toMatch(/^\d\d:00 to \d\d:00$/)
    expect(pieceText({ ...record, range: '30d' }, 0)).toMatch(/^1 Jan 2026, /)
  })
})

test('a range is named as people do', () => {
  expect([lastText('1h'), lastText('30d')]).toEqual(['the last hour', 'the last 30 days'])
})

describe('the crosshair by keyboard', () => {
  test.each<[string, number | null, number | null | undefined]>([
    ['ArrowLeft', null, 99],
    ['ArrowLeft', 50, 49],
    ['ArrowLeft', 0, 0],
    ['ArrowRight', 99, 99],
    ['ArrowRight', 7, 8],
    ['PageDown', 50, 42],
    ['PageUp', 95, 99],
    ['Home', 50, 0],
    ['End', 5, 99],
    ['Escape', 5, null],
    ['a', 5, undefined],
    ['Tab', 5, undefined],
  ])('%s from %s is %s', (key, from, to) => {
    expect(moveCrosshair(key, from, 100)).toBe(to)
  })
})

describe('a change is said', () => {
  const standing = (change: Partial<Extract<MemberChange, { kind: 'standing' }>>): MemberChange => ({
    kind: 'standing',
    at: at(0),
    before: healthy,
    after: stuck,
    reason,
    ...change,
  })
  test.each<[MemberChange, string, string | null]>([
    [standing({}), 'Stuck (ejected)', 'No TLS handshake.'],
    [standing({ after: { standing: 'suspect', symptom: null } }), 'Suspect', 'No TLS handshake.'],
    [standing({ before: stuck, after: { standing: 'probation', symptom: null } }), 'Recovering (probation)', null],
    [standing({ before: stuck, after: healthy }), 'Healthy', null],
    [standing({ before: null, after: healthy }), 'Healthy, when this console began to watch', null],
    [{ kind: 'reported', at: at(0), before: null, after: 'Online' }, 'The cluster calls it Online', null],
    [
      { kind: 'reported', at: at(0), before: 'Online', after: 'Offline' },
      'The cluster calls it Offline, no longer Online',
      null,
    ],
    [{ kind: 'reported', at: at(0), before: 'Online', after: 'Evacuated' }, 'Evacuated', null],
    [{ kind: 'reported', at: at(0), before: 'Evacuated', after: 'Online' }, 'Restored', null],
    [
      { kind: 'certificate', at: at(0), before: 'a'.repeat(64), after: 'b'.repeat(64) },
      'Presents another certificate: bbbbbbbbbbbb instead of aaaaaaaaaaaa',
      null,
    ],
    [{ kind: 'left', at: at(0) }, 'No longer a server of the cluster', null],
  ])('%o', (change, headline, why) => {
    expect(describeChange(change)).toMatchObject({ headline, reason: why })
  })
})
