import type { ProbeRecord } from '@malleus/shared/api/members.ts'
import type { ProbePhase } from '@malleus/shared/domain/health.ts'

export interface PhaseBar {
  readonly phase: 'connect' | 'tls' | 'answer'
  readonly name: string
  readonly ms: number
  /** Where it begins and how wide it is, of 100. */
  readonly from: number
  readonly width: number
}

/** Longer than a probe may take; shorter ones are spread so that one millisecond can be seen beside four hundred. */
const longestMs = 2000

/**
 * The phases of one probe side by side on a scale that all rows share. The square root of time: 1 ms, 25 ms and 400 ms
 * are told apart at a glance, and the order of lengths is kept.
 */
export function phaseBars({ connectMs, tlsMs, firstByteMs }: ProbeRecord): readonly PhaseBar[] {
  const phases = [
    { phase: 'connect', name: 'connect', ms: connectMs },
    { phase: 'tls', name: 'TLS', ms: tlsMs },
    { phase: 'answer', name: 'first byte', ms: firstByteMs },
  ] as const
  let elapsed = 0
  return phases.flatMap(({ phase, name, ms }) => {
    if (ms === null) return []
    const from = position(elapsed)
    elapsed += ms
    return [{ phase, name, ms, from, width: Math.max(0.6, position(elapsed) - from) }]
  })
}

export function totalMs({ connectMs, tlsMs, firstByteMs }: ProbeRecord): number | null {
  const known = [connectMs, tlsMs, firstByteMs].filter((ms) => ms !== null)
  return known.length === 0 ? null : known.reduce((sum, ms) => sum + ms, 0)
}

function position(ms: number): number {
  return 100 * Math.sqrt(Math.min(ms, longestMs) / longestMs)
}

/** In which part of a question it failed, within a sentence. */
export const failedWhile: Record<ProbePhase, string> = {
  resolve: 'looking up its name',
  connect: 'connecting',
  tls: 'in the TLS handshake',
  certificate: 'at its certificate',
  answer: 'waiting for the answer',
}

const phaseNames: Readonly<Record<string, string>> = {
  resolve: 'Name',
  connect: 'Connect',
  tls: 'TLS',
  certificate: 'Certificate',
  answer: 'Answer',
}

/** The phase in which a probe failed, as a heading; what is not known yet as it came. */
export function phaseName(phase: string): string {
  return phaseNames[phase] ?? phase
}

/** Whether a probe failed just as another did. */
export function failedAlike({ failure }: ProbeRecord, other: ProbeRecord | undefined): boolean {
  const before = other?.failure ?? null
  return failure !== null && before !== null && failure.phase === before.phase && failure.message === before.message
}
