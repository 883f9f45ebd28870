/** What is told of one member's health over a time: its probes by phase, and what changed and why. Pure. */
import type {
  AnswerPercentiles,
  HealthRange,
  MemberChange,
  MemberHealthRecord,
} from '@malleus/shared/api/member-health.ts'
import { measures, ProbeFault } from '@malleus/shared/api/member-health.ts'
import type { Standing } from '@malleus/shared/domain/health.ts'
import { badness } from '@malleus/shared/domain/health.ts'
import { instant } from '../lib/clock.ts'
import type { ChangesOfMember } from './member-changes.ts'
import type { ProbePieces } from './probe-history.ts'
import { ProbePiece } from './probe-piece.ts'

/** As many changes are listed; a page with more is not read. */
const CHANGES_LISTED = 300

export interface HealthRecordInput {
  readonly range: HealthRange
  readonly probes: ProbePieces
  /** Those since the beginning of the range. */
  readonly changes: ChangesOfMember
  /** What is believed now. */
  readonly standing: Standing
  /** When nobody watched, in milliseconds since 1970. */
  readonly gaps: readonly { readonly from: number; readonly to: number }[]
  readonly now: number
}

export function healthRecord({ range, probes, changes, standing, gaps, now }: HealthRecordInput): MemberHealthRecord {
  const { from, pieceMs, count } = probes
  const pieces = Array.from({ length: count }, (_, number) => probes.pieces.get(number) ?? null)
  const each = (value: (piece: ProbePiece) => number | null) => pieces.map((piece) => rounded(piece && value(piece)))
  const counts = (value: (piece: ProbePiece) => number) => pieces.map((piece) => (piece === null ? 0 : value(piece)))
  const all = new ProbePiece()
  for (const piece of pieces) if (piece !== null) all.merge(piece)
  const numberOf = (change: MemberChange) => Math.min(count - 1, Math.floor((Date.parse(change.at) - from) / pieceMs))
  return {
    range,
    from: instant(from),
    to: instant(now),
    pieceMs,
    answer: {
      p50: each(({ times }) => times.answer.quantile(0.5)),
      p95: each(({ times }) => times.answer.quantile(0.95)),
      p99: each(({ times }) => times.answer.quantile(0.99)),
      slowest: each(({ times }) => times.answer.slowestMs),
    },
    connect: each(({ times }) => times.connect.quantile(0.5)),
    tls: each(({ times }) => times.tls.quantile(0.5)),
    database: each(({ times }) => times.database.quantile(0.5)),
    asked: counts(({ asked }) => asked),
    failed: counts(({ failed }) => failed),
    standings: worstStandings(pieces, changes, standing, numberOf),
    percentiles: percentilesOf(all),
    failures: ProbeFault.options.flatMap((fault) => {
      const failures = all.failures.get(fault) ?? 0
      return failures === 0 ? [] : [{ fault, count: failures }]
    }),
    changes: changes.changes.slice(0, CHANGES_LISTED),
    changesLeftOut: Math.max(0, changes.changes.length - CHANGES_LISTED),
    changesSince: changes.since === null ? null : instant(changes.since),
    marks: gravestOfEach(changes.changes, numberOf),
    gaps: gaps.map((gap) => ({ from: instant(gap.from), to: instant(gap.to) })),
  }
}

function percentilesOf(all: ProbePiece): AnswerPercentiles[] {
  return measures.map((measure) => {
    const times = all.times[measure]
    const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => rounded(times.quantile(share)))
    return {
      measure,
      count: times.count,
      p50: p50 ?? null,
      p95: p95 ?? null,
      p99: p99 ?? null,
      slowest: rounded(times.slowestMs),
    }
  })
}

/**
 * The worst that was believed in each piece: what changed in it, and what was believed before and is believed until the
 * next change. Null where nobody asked and nothing changed.
 */
function worstStandings(
  pieces: readonly (ProbePiece | null)[],
  { changes: newestFirst, standingBefore }: ChangesOfMember,
  now: Standing,
  numberOf: (change: MemberChange) => number,
): (Standing | null)[] {
  const changes = newestFirst.toReversed().flatMap((change) => (change.kind === 'standing' ? [change] : []))
  const [first] = changes
  // Without a change it has always been as it is now.
  let current: Standing | null = first === undefined ? now : (first.before?.standing ?? null)
  if (standingBefore?.kind === 'standing') current = standingBefore.after.standing
  let next = 0
  return pieces.map((piece, number) => {
    let worst = piece === null ? null : current
    for (let change = changes[next]; change !== undefined && numberOf(change) <= number; change = changes[next]) {
      current = change.after.standing
      // Learned for the first time, it says nothing of what was before it.
      worst = worst === null || badness(current) > badness(worst) ? current : worst
      next += 1
    }
    return worst
  })
}

function gravestOfEach(
  newestFirst: readonly MemberChange[],
  numberOf: (change: MemberChange) => number,
): MemberChange[] {
  const gravest = new Map<number, MemberChange>()
  for (const change of newestFirst) {
    const number = numberOf(change)
    const known = gravest.get(number)
    if (known === undefined || gravity(change) > gravity(known)) gravest.set(number, change)
  }
  return [...gravest.values()].toReversed()
}

/** What somebody did to it, or what happens once a year, is worth more than the hundredth doubt. */
function gravity(change: MemberChange): number {
  switch (change.kind) {
    case 'left':
      return 101
    case 'certificate':
      return change.before === null ? -1 : 100
    case 'reported':
      return change.before === null ? -1 : 99
    case 'standing':
      return change.before === null ? 0 : badness(change.after.standing)
  }
}

function rounded(ms: number | null): number | null {
  return ms === null ? null : Number(ms.toPrecision(3))
}
