import type { MemberChange } from '@malleus/shared/api/member-health.ts'
import { MemberHealthRecord } from '@malleus/shared/api/member-health.ts'
import type { ProbeRecord } from '@malleus/shared/api/members.ts'
import type { Standing } from '@malleus/shared/domain/health.ts'
import { describe, expect, test } from 'vitest'
import { healthRecord } from './health-record.ts'
import { ProbePiece } from './probe-piece.ts'

const pieceMs = 10_000
const from = Date.UTC(2026, 0, 1)
const at = (piece: number, ms = 0) => new Date(from + piece * pieceMs + ms).toISOString()

const answered = (firstByteMs: number, fields: Partial<ProbeRecord> = {}): ProbeRecord => ({
  at: at(0),
  kind: 'light',
  connectMs: null,
  tlsMs: null,
  firstByteMs,
  failure: null,
  ...fields,
})

const turned = (piece: number, before: Standing | null, after: Standing, ms = 0): MemberChange => ({
  kind: 'standing',
  at: at(piece, ms),
  before: before && { standing: before, symptom: null },
  after: { standing: after, symptom: null },
  reason: null,
})

function recordOf(
  records: Readonly<Record<number, readonly ProbeRecord[]>>,
  changes: readonly MemberChange[] = [],
  count = 5,
  standingBefore: MemberChange | null = null,
) {
  const pieces = Object.entries(records).map(([number, all]) => {
    const piece = new ProbePiece()
    for (const record of all) piece.note(record)
    return [Number(number), piece] as const
  })
  const record = healthRecord({
    range: '1h',
    probes: { from, pieceMs, count, pieces: new Map(pieces) },
    changes: { changes: changes.toReversed(), standingBefore, since: null },
    standing: 'healthy',
    gaps: [{ from: from + 1, to: from + 2 }],
    now: from + count * pieceMs,
  })
  return MemberHealthRecord.parse(record)
}

describe('the health record of a member', () => {
  test('has each phase in each piece, and nothing where nobody asked', () => {
    const record = recordOf({
      0: [answered(2), answered(2), answered(20, { kind: 'cold', connectMs: 0.5, tlsMs: 1 })],
      2: [answered(7, { kind: 'deep' })],
      4: [answered(0, { firstByteMs: null, failure: { phase: 'tls', message: 'No.' }, connectMs: 0.5 })],
    })
    expect(record.answer.p50.map((ms) => ms && Math.round(ms))).toEqual([2, null, null, null, null])
    expect(record.answer.slowest).toEqual([20, null, null, null, null])
    expect(record.connect.map((ms) => ms && Math.round(ms * 10) / 10)).toEqual([0.5, null, null, null, 0.5])
    expect(record.tls.filter((ms) => ms !== null)).toHaveLength(1)
    expect(record.database.map((ms) => ms && Math.round(ms))).toEqual([null, null, 7, null, null])
    expect([record.asked, record.failed]).toEqual([
      [3, 0, 0, 0, 1],
      [0, 0, 0, 0, 1],
    ])
    expect(record.failures).toEqual([{ fault: 'tls', count: 1 }])
    expect(record.percentiles.map(({ measure, count, slowest }) => [measure, count, slowest])).toEqual([
      ['connect', 2, 0.5],
      ['tls', 1, 1],
      ['answer', 3, 20],
      ['database', 1, 7],
    ])
  })

  test('percentiles are of all answers together, not of the percentiles of the pieces', () => {
    const quick = Array.from({ length: 98 }, () => answered(1))
    const { percentiles } = recordOf({ 0: quick, 1: [answered(100), answered(100)] })
    const { p50, p95, p99 } = percentiles.find(({ measure }) => measure === 'answer')!
    expect([Math.round(p50!), Math.round(p95!), Math.round(p99! / 10) * 10]).toEqual([1, 1, 100])
  })

  test('the standing of a piece is the worst that was believed in it', () => {
    const asked = [answered(1)]
    const changes = [
      turned(1, 'healthy', 'suspect'),
      turned(1, 'suspect', 'ejected', 5),
      turned(3, 'ejected', 'healthy'),
    ]
    const { standings } = recordOf({ 0: asked, 1: asked, 2: asked, 3: asked, 4: asked }, changes)
    expect(standings).toEqual(['healthy', 'ejected', 'ejected', 'ejected', 'healthy'])
  })

  test('is healthy where everything went well and nothing changed, and unknown where nobody watched', () => {
    const asked = [answered(1)]
    expect(recordOf({ 0: asked, 1: asked }).standings).toEqual(['healthy', 'healthy', null, null, null])
    const since = turned(-9, 'healthy', 'degraded')
    expect(recordOf({ 0: asked, 1: asked }, [], 3, since).standings).toEqual(['degraded', 'degraded', null])
    const found = [turned(3, null, 'ejected')]
    expect(recordOf({ 3: asked, 4: asked }, found).standings).toEqual([null, null, null, 'ejected', 'ejected'])
  })

  test('one mark stands for all changes of a piece, the gravest', () => {
    const evacuated: MemberChange = { kind: 'reported', at: at(1, 3), before: 'Online', after: 'Evacuated' }
    const { marks } = recordOf({}, [
      turned(1, 'healthy', 'suspect'),
      evacuated,
      turned(1, 'suspect', 'healthy', 9),
      turned(2, 'healthy', 'suspect'),
      turned(2, 'suspect', 'ejected', 1),
      turned(2, 'ejected', 'probation', 2),
    ])
    expect(marks).toEqual([evacuated, turned(2, 'suspect', 'ejected', 1)])
  })

  test('lists the newest changes and says how many more there were', () => {
    const changes = Array.from({ length: 310 }, (_, n) => turned(n % 5, 'healthy', 'suspect', n))
    const record = recordOf({}, changes)
    expect(record.changes).toHaveLength(300)
    expect(record.changesLeftOut).toBe(10)
    expect(record.changes[0]).toEqual(changes.at(-1))
  })

  test('never has more than 500 points', () => {
    expect(recordOf({}, [], 481).answer.p50).toHaveLength(481)
  })
})
