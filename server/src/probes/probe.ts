/**
 * One timed question to one member: resolve, connect, handshake, certificate, answer; and which phase failed. It says
 * when a phase has been silent for too long, and may go on listening, because what answers after that is slow and not
 * stuck.
 */
import type { ProbeRecord } from '@malleus/shared/api/members.ts'
import type { ProbePhase } from '@malleus/shared/domain/health.ts'
import type { ProbeReport, ProbeRequest, Transport } from '../gateway/transport.ts'
import type { Failure } from '../health/health.ts'
import type { Clock } from '../lib/clock.ts'
import { instant } from '../lib/clock.ts'

export interface Question {
  readonly kind: ProbeRecord['kind']
  readonly member: ProbeRequest['member']
  /** With `/1.0`, encoded. */
  readonly path: string
  readonly connection: ProbeRequest['connection']
  /** Milliseconds after which a phase is silent. */
  readonly phaseTimeoutMs: number
  /** Whether it goes on listening after that, and tells so: milliseconds for each phase. Absent: silence ends it. */
  readonly lingerMs?: number
}

export interface ProbeEnd {
  readonly record: ProbeRecord
  /** Whether the connection was made for this question. */
  readonly fresh: boolean
  readonly presented: ProbeReport['presented']
  /** Whatever its status says; null exactly when there is a failure. */
  readonly reply: NonNullable<ProbeReport['reply']> | null
  /** Milliseconds from the written request to the first byte of the reply. */
  readonly answerMs: number | null
  /** The same to its last byte. */
  readonly replyMs: number | null
  readonly failure: Failure | null
  /** Whether `onSilent` was told: the failure is then only better evidence of the same thing. */
  readonly wasSilent: boolean
}

/**
 * Asks, and never rejects.
 *
 * @param onSilent hears, at most once, that a phase takes too long while the question is still listened to
 */
export async function probe(
  transport: Pick<Transport, 'probe'>,
  clock: Clock,
  question: Question,
  onSilent: (failure: Failure) => void = () => {},
): Promise<ProbeEnd> {
  const { kind, member, path, connection, phaseTimeoutMs, lingerMs } = question
  const at = instant(clock.now())
  const givenUp = new AbortController()
  const progress: NonNullable<ProbeRequest['progress']> = {}
  const timeoutMs = lingerMs ?? 2 * phaseTimeoutMs

  /** How the connection came to be, as far as is known now. */
  function made(): Pick<Failure, 'fresh' | 'reconnected'> {
    const reconnected = connection === 'warm' && progress.connectMs !== undefined
    return { fresh: connection === 'new' || reconnected, reconnected }
  }

  const heard: { silence: Failure | null } = { silence: null }
  const silence = new Promise<null>((resolve) => {
    const stopWatching = watchPhases(clock, phaseTimeoutMs, progress, connection === 'warm', (phase) => {
      heard.silence = { phase, how: 'silent', ...made(), message: describeSilence(phase, made().fresh, phaseTimeoutMs) }
      if (lingerMs === undefined) resolve(null)
      else onSilent(heard.silence)
    })
    givenUp.signal.addEventListener('abort', stopWatching, { once: true })
  })
  const asked = transport.probe({
    member,
    authority: { kind: kind === 'deep' ? 'console' : 'anonymous' },
    path,
    connection,
    connectTimeoutMs: timeoutMs,
    tlsTimeoutMs: timeoutMs,
    answerTimeoutMs: timeoutMs,
    progress,
    signal: givenUp.signal,
  })
  const report = await Promise.race([asked, silence])
  givenUp.abort()

  const failure = report === null ? heard.silence : failureOf(report, made())
  return {
    record: {
      at,
      kind,
      connectMs: rounded(progress.connectMs),
      tlsMs: rounded(progress.tlsMs),
      firstByteMs: rounded(report?.firstByteMs ?? undefined),
      failure: failure && { phase: failure.phase, message: failure.message },
    },
    fresh: made().fresh,
    presented: progress.presented ?? null,
    reply: failure === null ? (report?.reply ?? null) : null,
    answerMs: report?.firstByteMs ?? null,
    replyMs: report?.reply ? (report.firstByteMs ?? 0) + clock.monotonic() - report.reply.answeredAt : null,
    failure,
    wasSilent: heard.silence !== null && lingerMs !== undefined,
  }
}

/** Tells once in which phase the time was up. Gives back what ends it. */
function watchPhases(
  clock: Clock,
  phaseTimeoutMs: number,
  progress: { readonly connectMs?: number; readonly tlsMs?: number },
  warm: boolean,
  onSilent: (phase: ProbePhase) => void,
): () => void {
  const startedAt = clock.monotonic()
  let cancel = clock.after(phaseTimeoutMs, look)
  let dueAt = startedAt + phaseTimeoutMs
  let forgiven = false
  return () => cancel()

  function look(): void {
    const now = clock.monotonic()
    const { connectMs, tlsMs } = progress
    const phase = connectMs === undefined ? (warm ? 'answer' : 'connect') : tlsMs === undefined ? 'tls' : 'answer'
    const phaseStartedAt = startedAt + (connectMs ?? 0) + (tlsMs ?? 0)
    // A console that was held up itself must not blame a member: what arrived meanwhile is read first.
    const heldUp = now - dueAt > HELD_UP_MS && !forgiven
    const left = heldUp ? phaseTimeoutMs : phaseStartedAt + phaseTimeoutMs - now
    if (heldUp) forgiven = true
    // Timers count whole milliseconds, and may fire a fraction of one early.
    if (left < 1) {
      onSilent(phase)
      return
    }
    dueAt = now + left
    cancel = clock.after(left, look)
  }
}

const HELD_UP_MS = 50

/** In the words of the board; null for a reply that says that the member works, whatever else it says. */
function failureOf(report: ProbeReport, made: Pick<Failure, 'fresh' | 'reconnected'>): Failure | null {
  if (report.failure === null) {
    if (report.reply === null || !saysStarting(report.reply)) return null
    return { phase: 'answer', how: 'starting', ...made, message: 'It says that the daemon is starting up.' }
  }
  const { kind, message } = report.failure
  // A connection that was there before cannot fail to be made.
  const phase = made.fresh ? report.failure.phase : 'answer'
  switch (kind) {
    // These two come from a new connection even where an old one was hoped for.
    case 'refused':
      return {
        phase: 'connect',
        how: 'refused',
        fresh: true,
        message: 'The connection was refused: nothing listens there.',
      }
    case 'unreachable':
      return { phase: report.failure.phase, how: 'no-route', fresh: true, message }
    case 'timed-out':
      return { phase, how: 'silent', ...made, message }
    case 'wrong-certificate':
      return { phase: 'certificate', how: 'wrong-certificate', ...made, message }
    case 'reset':
    case 'bad-reply':
    case 'incus':
    case 'busy':
    case 'cancelled':
      return { phase, how: 'closed', ...made, message }
  }
}

/** Incus before it is ready (incus `cmd/incusd/daemon.go`, `createCmd`: "Daemon is starting up"). */
function saysStarting({ status, body }: NonNullable<ProbeReport['reply']>): boolean {
  return status === 503 && /starting up/i.test(body.toString('utf8', 0, 4_096))
}

function describeSilence(phase: ProbePhase, fresh: boolean, afterMs: number): string {
  switch (phase) {
    case 'resolve':
    case 'connect':
      return `No connection within ${afterMs} ms.`
    case 'tls':
    case 'certificate':
      return `It accepted the connection, and no TLS handshake came within ${afterMs} ms.`
    case 'answer':
      return fresh
        ? `The TLS handshake was complete, and no answer came within ${afterMs} ms.`
        : `No answer within ${afterMs} ms.`
  }
}

function rounded(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.round(ms * 100) / 100
}
