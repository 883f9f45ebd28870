import type { ReplyOf } from '@malleus/shared/api/endpoint.ts'
import type { getHealthHistory } from '@malleus/shared/api/members.ts'
import { formatDuration } from '../lib/time.ts'
import type { Tone } from '../ui/StateMark.tsx'
import { toneOfStanding } from './member-words.ts'

/** The pieces of one server's strip; null while they have not been read. A server without a record is all unknown. */
export function stripOf(history: ReplyOf<typeof getHealthHistory> | undefined, member: string): readonly Tone[] | null {
  if (history === undefined) return null
  return (history.members[member] ?? Array.from({ length: 36 }, () => null)).map(toneOfStanding)
}

const pieceMs = 40 * 60_000

/** The strip in words. */
export function describeStrip(name: string, pieces: readonly Tone[]): string {
  const count = (tone: Tone) => pieces.filter((piece) => piece === tone).length
  const parts = [
    part(count('bad'), 'without an answer in'),
    part(count('warning'), 'unwell in'),
    part(count('unknown'), 'not measured for'),
  ].filter((text) => text !== undefined)
  return `${name}, last 24 h: ${parts.length === 0 ? 'healthy throughout' : parts.join(', ')}`
}

function part(count: number, words: string): string | undefined {
  return count === 0 ? undefined : `${words} ${formatDuration(count * pieceMs)}`
}
