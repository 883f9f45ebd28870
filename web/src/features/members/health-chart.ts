import type { MemberChange, MemberHealthRecord, HealthRange } from '@malleus/shared/api/member-health.ts'
import { formatClock, formatDate, formatMs } from '../../lib/time.ts'
import type { Tone } from '../../ui/StateMark.tsx'
import { toneOfStanding } from '../../components/member-words.ts'
import { describeChange } from './change-words.ts'

/** What is drawn of a health record, and what is said of one piece of it. Pure. */

export const rangeNames: Readonly<Record<HealthRange, string>> = {
  '1h': '1 hour',
  '24h': '24 hours',
  '7d': '7 days',
  '30d': '30 days',
}

/** "the last hour", "the last 7 days" */
export function lastText(range: HealthRange): string {
  return range === '1h' ? 'the last hour' : `the last ${rangeNames[range]}`
}

/** The middle of each piece, in seconds since 1970: what stands there is true of all of it. */
export function timesOf({ from, pieceMs, asked }: MemberHealthRecord): readonly number[] {
  return asked.map((_, index) => (Date.parse(from) + (index + 0.5) * pieceMs) / 1000)
}

/**
 * A phase as a line: a number, null for a gap, and undefined where the line goes on: where it answered, but no new
 * connection was made in that piece, which only every tenth question does.
 */
export function lineOf(
  values: readonly (number | null)[],
  { answer }: Pick<MemberHealthRecord, 'answer'>,
): readonly (number | null | undefined)[] {
  return values.map((value, index) => value ?? ((answer.p50[index] ?? null) === null ? null : undefined))
}

/** When nobody asked, in seconds since 1970: while the console did not run, and in pieces without a question. */
export function unwatched({ asked, gaps, from, pieceMs }: MemberHealthRecord): readonly Span[] {
  const spans = gaps.map((gap) => ({ from: Date.parse(gap.from) / 1000, to: Date.parse(gap.to) / 1000 }))
  // The last piece has only begun.
  for (const [index, count] of asked.slice(0, -1).entries()) {
    if (count > 0) continue
    const begins = Date.parse(from) + index * pieceMs
    spans.push({ from: begins / 1000, to: (begins + pieceMs) / 1000 })
  }
  const merged: { from: number; to: number }[] = []
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const before = merged.at(-1)
    if (before !== undefined && span.from <= before.to) before.to = Math.max(before.to, span.to)
    else merged.push(span)
  }
  return merged
}

export interface Span {
  readonly from: number
  readonly to: number
}

/** Failed questions, in per cent of those that were asked; null where nobody asked. */
export function failedShares({
  asked,
  failed,
}: Pick<MemberHealthRecord, 'asked' | 'failed'>): readonly (number | null)[] {
  return asked.map((count, index) => (count === 0 ? null : (100 * (failed[index] ?? 0)) / count))
}

export interface Mark {
  /** Seconds since 1970. */
  readonly at: number
  readonly tone: Tone
}

export function marksOf({ marks }: Pick<MemberHealthRecord, 'marks'>): readonly Mark[] {
  return marks
    .filter(isWorthAMark)
    .map((change) => ({ at: Date.parse(change.at) / 1000, tone: describeChange(change).tone }))
}

/** What was only learned first, such as after a start of the console, did not happen then. */
function isWorthAMark(change: MemberChange): boolean {
  if (change.kind === 'left') return true
  if (change.before === null) return false
  return change.kind !== 'standing' || change.after.standing !== 'probation'
}

export function bandOf({ standings }: Pick<MemberHealthRecord, 'standings'>): readonly (Tone | null)[] {
  return standings.map((standing) => (standing === null ? null : toneOfStanding(standing)))
}

/** "12:03:10 to 12:03:20", with the day where the range has several. */
export function pieceText(
  { from, pieceMs, range }: Pick<MemberHealthRecord, 'from' | 'pieceMs' | 'range'>,
  index: number,
): string {
  const begins = new Date(Date.parse(from) + index * pieceMs).toISOString()
  const ends = new Date(Date.parse(from) + (index + 1) * pieceMs).toISOString()
  const digits = range === '1h' ? 8 : 5
  const clock = (at: string) => formatClock(at).slice(0, digits)
  const day = range === '1h' || range === '24h' ? '' : `${formatDate(begins)}, `
  return `${day}${clock(begins)} to ${clock(ends)}`
}

/** Everything that is known of one piece, in a sentence: what a screen reader says at the crosshair. */
export function describePiece(record: MemberHealthRecord, index: number): string {
  const when = pieceText(record, index)
  const asked = record.asked[index] ?? 0
  const happened = changesIn(record, index).map((change) => `${describeChange(change).headline}.`)
  if (asked === 0) return [`${when}: nobody asked.`, ...happened].join(' ')
  const failed = record.failed[index] ?? 0
  const p50 = record.answer.p50[index]
  const p95 = record.answer.p95[index]
  const slowest = record.answer.slowest[index]
  const answers =
    p50 === null || p50 === undefined ? 'no answer' : `median ${formatMs(p50)}, 95 % ${ms(p95)}, slowest ${ms(slowest)}`
  const failures = failed === 0 ? 'none failed' : `${failed} of ${asked} failed`
  return [`${when}: ${record.standings[index] ?? 'unknown'}, ${answers}, ${failures}.`, ...happened].join(' ')
}

/** The changes of one piece, newest first, as far as they are listed. */
export function changesIn({ changes, from, pieceMs }: MemberHealthRecord, index: number): readonly MemberChange[] {
  const begins = Date.parse(from) + index * pieceMs
  return changes.filter(({ at }) => Date.parse(at) >= begins && Date.parse(at) < begins + pieceMs)
}

export function ms(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : formatMs(value)
}

/** Where the crosshair goes for a key; null when it goes away, undefined for a key that is not for it. */
export function moveCrosshair(key: string, index: number | null, count: number): number | null | undefined {
  const last = count - 1
  const here = index ?? last
  const page = Math.max(1, Math.round(count / 12))
  const within = (next: number) => Math.min(last, Math.max(0, next))
  switch (key) {
    case 'ArrowLeft':
    case 'ArrowDown':
      return within(index === null ? last : here - 1)
    case 'ArrowRight':
    case 'ArrowUp':
      return within(index === null ? last : here + 1)
    case 'PageDown':
      return within(here - page)
    case 'PageUp':
      return within(here + page)
    case 'Home':
      return 0
    case 'End':
      return last
    case 'Escape':
      return null
    default:
      return undefined
  }
}
