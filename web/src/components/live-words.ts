import type { LivePhase } from '../api/follow-live.ts'
import { formatClock, formatDuration } from '../lib/time.ts'
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

/** From when on a page that is not live says so across it: a short gap is only told by its indicator. */
const lostMs = 6000

/** What is said across a page that has not been live for a while; nothing while it is, or before it ever was. */
export function describeLoss(phase: LivePhase, heardAt: number | null, now: number): string {
  if (phase === 'ended' || heardAt === null || now - heardAt < lostMs) return ''
  const since = formatClock(new Date(heardAt).toISOString())
  return `The console has not answered for ${formatDuration(now - heardAt)}. What you see was last known at ${since}, and nothing of it is sure now. This page goes on by itself once the console answers.`
}
