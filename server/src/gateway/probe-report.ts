import type { Clock } from '../lib/clock.ts'
import type { WireReply } from './exchange.ts'
import type { MemberError } from './member-error.ts'
import { memberErrorFrom } from './member-error.ts'
import type { ProbeReport, ProbeRequest } from './transport.ts'

/** What carries the question of a probe. Both may throw anything. */
export interface ProbeCarrier<Lane> {
  /** A connection for it, made if it has to be; notes in `progress` how far that came. */
  readonly lane: (progress: NonNullable<ProbeRequest['progress']>) => Promise<Lane>
  readonly ask: (lane: Lane) => Promise<WireReply>
}

/** Puts the question of a probe, and reports how far it came. Never rejects. */
export async function reportProbe<Lane>(
  request: ProbeRequest,
  clock: Pick<Clock, 'monotonic'>,
  { lane, ask }: ProbeCarrier<Lane>,
): Promise<ProbeReport> {
  const progress = request.progress ?? {}
  let answer: { readonly reply: WireReply; readonly firstByteMs: number } | null = null
  let failure: MemberError | null = null
  try {
    const connected = await lane(progress)
    const startedAt = clock.monotonic()
    const reply = await ask(connected)
    answer = { reply, firstByteMs: reply.answeredAt - startedAt }
  } catch (error) {
    failure = memberErrorFrom(error, { member: request.member.name, phase: 'answer', sent: true })
  }
  return {
    connectMs: progress.connectMs ?? null,
    tlsMs: progress.tlsMs ?? null,
    presented: progress.presented ?? null,
    firstByteMs: answer?.firstByteMs ?? null,
    reply: answer?.reply ?? null,
    failure,
  }
}
