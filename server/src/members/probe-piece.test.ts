import type { ProbeRecord } from '@malleus/shared/api/members.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AnswerTimes } from './answer-times.ts'
import { ProbePiece } from './probe-piece.ts'

const at = '2026-01-01T00:00:00.000Z'
const answered = (ms: number): ProbeRecord => ({
  at,
  kind: 'light',
  connectMs: null,
  tlsMs: null,
  firstByteMs: ms,
  failure: null,
})

const someMs = fc.double({ min: 0, max: 20_000, noNaN: true }).map((ms) => Math.round(ms * 100) / 100)
const someRecord: fc.Arbitrary<ProbeRecord> = fc.record({
  at: fc.constant(at),
  kind: fc.constantFrom('light', 'cold', 'deep'),
  connectMs: fc.option(someMs),
  tlsMs: fc.option(someMs),
  firstByteMs: fc.option(someMs),
  failure: fc.option(
    fc.record({ phase: fc.constantFrom('resolve', 'connect', 'tls', 'certificate', 'answer'), message: fc.string() }),
  ),
})

function pieceOf(records: readonly ProbeRecord[]): ProbePiece {
  const piece = new ProbePiece()
  for (const record of records) piece.note(record)
  return piece
}

describe('answer times', () => {
  test('give quantiles that are right to three per cent, and the slowest exactly', () => {
    fc.assert(
      fc.property(
        fc.array(someMs, { minLength: 1, maxLength: 300 }),
        fc.constantFrom(0.5, 0.95, 0.99, 1),
        (all, share) => {
          const times = new AnswerTimes()
          for (const ms of all) times.record(ms)
          const sorted = all.toSorted((a, b) => a - b)
          const exact = sorted[Math.max(1, Math.ceil(all.length * share)) - 1]!
          const found = times.quantile(share)!
          expect(Math.abs(found - exact)).toBeLessThanOrEqual(Math.max(0.01, exact * 0.03))
          expect(times.slowestMs).toBe(sorted.at(-1))
          expect(times.count).toBe(all.length)
        },
      ),
    )
  })

  test('have none where nothing was measured', () => {
    expect([new AnswerTimes().quantile(0.5), new AnswerTimes().slowestMs]).toEqual([null, null])
  })
})

describe('a piece of probes', () => {
  test('is the same after it was kept, and that of two times is both together', () => {
    fc.assert(
      fc.property(fc.array(someRecord, { maxLength: 60 }), fc.array(someRecord, { maxLength: 60 }), (first, second) => {
        const kept = ProbePiece.fromBytes(pieceOf(first).toBytes())
        expect(kept.toBytes()).toEqual(pieceOf(first).toBytes())
        kept.merge(pieceOf(second))
        expect(kept.toBytes()).toEqual(pieceOf([...first, ...second]).toBytes())
      }),
    )
  })

  test('counts questions, and the phase in which they failed', () => {
    const failed = { ...answered(0), firstByteMs: null }
    const piece = pieceOf([
      answered(2),
      { ...failed, kind: 'cold', connectMs: 0.4, failure: { phase: 'tls', message: 'x' } },
      { ...failed, kind: 'deep', failure: { phase: 'answer', message: 'x' } },
    ])
    expect([piece.asked, piece.failed]).toEqual([2, 1])
    expect([...piece.failures]).toEqual([
      ['tls', 1],
      ['database', 1],
    ])
    expect(piece.times.connect.count).toBe(1)
  })

  test('does not take for an answer time how soon a server said that it is starting', () => {
    const piece = pieceOf([{ ...answered(3), failure: { phase: 'answer', message: 'The daemon is starting up.' } }])
    expect([piece.times.answer.count, piece.failed]).toEqual([0, 1])
  })

  test('is small: two hours of a healthy server in a hundred bytes', () => {
    // A log-normal spread, as answers of a healthy server have.
    const piece = pieceOf(Array.from({ length: 14_400 }, (_, n) => answered(1.2 * Math.exp(0.35 * Math.sin(n) * 2))))
    expect(piece.toBytes().length).toBeLessThan(120)
  })

  test.each<[string, number[]]>([
    ['nothing', []],
    ['another form', [2, 0]],
    ['what was cut off', [1, 0, 0]],
    ['what was cut off later', [1, 0, 0, 0, 0, 0, 0, 5, 9]],
  ])('is not read from %s', (_, bytes) => {
    expect(() => ProbePiece.fromBytes(Uint8Array.from(bytes))).toThrow(RangeError)
  })
})
