import type { LivePhase } from '../api/follow-live.ts'
import { formatDuration } from '../lib/time.ts'
import type { Tone } from '../ui/StateMark.tsx'

/** Two heartbeats missed: what is on the page may have changed. */
export const quietMs = 4500

/** How current the page is, in the words of its indicator. */
export function describeLive(phase: LivePhase, heardAt: number | null, now: number): { tone: Tone; text: string } {
  if (phase === 'ended') return { tone: 'unknown', text: 'Not live: signed out' }
  if (heardAt === null) return { tone: 'unknown', text: 'Connecting' }
  const silentMs = now - heardAt
  if (phase === 'live' && silentMs < quietMs) return { tone: 'good', text: `Live, ${formatDuration(silentMs)} ago` }
  return { tone: 'warning', text: `Not live for ${formatDuration(silentMs)}, connecting` }
}
