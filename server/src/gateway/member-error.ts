// The ways a member can fail us, and the only place that knows the words of sockets, TLS and undici for them.

import type { ProblemCode } from '@malleus/shared/api/problem.ts'
import type { ProbePhase } from '@malleus/shared/domain/health.ts'

/**
 * How one attempt at one member ended.
 *
 * - `refused`: the machine is there, and nothing listens on the port.
 * - `unreachable`: no connection: the name does not resolve, or there is no way to the machine.
 * - `timed-out`: no answer in the time that the phase had. In the phase `answer` the request may have been executed.
 * - `reset`: the connection was closed before there was a whole answer.
 * - `wrong-certificate`: what answers is not known to be a server of this cluster. Nothing was sent.
 * - `bad-reply`: an answer that is not one of Incus's: not HTTP, not its envelope, a redirect, of another shape.
 * - `incus`: Incus answered that it refuses or failed; `status` and the message are its own.
 * - `busy`: not sent; as many requests as one member may have are already under way.
 * - `cancelled`: given up by us, because another member was quicker, the browser has gone or the console stops.
 */
export type MemberErrorKind =
  | 'refused'
  | 'unreachable'
  | 'timed-out'
  | 'reset'
  | 'wrong-certificate'
  | 'bad-reply'
  | 'incus'
  | 'busy'
  | 'cancelled'

export interface MemberFailure {
  readonly kind: MemberErrorKind
  /** The member's name, or its address where the name is not known. */
  readonly member: string
  /** How far it came. */
  readonly phase: ProbePhase
  readonly message: string
  /** Whether at least one byte of the request was handed to the connection. */
  readonly sent: boolean
  /** Default: what the kind means for the person who asked. */
  readonly code?: ProblemCode
  /** HTTP status, where there was an answer. */
  readonly status?: number
  /** Incus says that its cluster database does not answer: the same question may succeed elsewhere, or later. */
  readonly database?: boolean
  /** Given up by us, because probes found meanwhile that the member does not answer. */
  readonly abandoned?: boolean
  readonly cause?: unknown
}

/** One attempt at one member that failed. */
export class MemberError extends Error {
  override readonly name: string = 'MemberError'
  readonly kind: MemberErrorKind
  readonly code: ProblemCode
  readonly member: string
  readonly phase: ProbePhase
  readonly sent: boolean
  readonly status: number | null
  readonly database: boolean
  readonly abandoned: boolean
  /** How many attempts were made for the request that ended with this one. */
  attempts = 1

  constructor(failure: MemberFailure) {
    super(failure.message, failure.cause === undefined ? undefined : { cause: failure.cause })
    this.kind = failure.kind
    this.code = failure.code ?? codeOf[failure.kind]
    this.member = failure.member
    this.phase = failure.phase
    this.sent = failure.sent
    this.status = failure.status ?? null
    this.database = failure.database ?? false
    this.abandoned = failure.abandoned ?? false
  }
}

/** A request that no member answered: every one that may be asked was, or none may. `cause` is the last failure. */
export class NoResponsiveMember extends Error {
  override readonly name = 'NoResponsiveMember'
  /**
   * `member_unavailable` when exactly one was asked for, `deadline_exceeded` when the time was up before the members were,
   * `sign_in_not_checked` when none of them can check the token that the request carries.
   */
  readonly code:
    | 'no_responsive_member'
    | 'member_unavailable'
    | 'member_busy'
    | 'deadline_exceeded'
    | 'sign_in_not_checked'
  readonly attempts: number
  /** Every attempt, in the order in which they ended. */
  readonly failures: readonly MemberError[]

  constructor(code: NoResponsiveMember['code'], message: string, failures: readonly MemberError[], attempts: number) {
    super(message, { cause: failures.at(-1) })
    this.code = code
    this.failures = failures
    this.attempts = attempts
  }
}

/**
 * A change that was not sent to anybody, because it is known that the cluster database answers none of its members: it
 * would wait there, and nobody could say what becomes of it.
 */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable'
  readonly code = 'database_unavailable'
  readonly attempts = 0

  constructor() {
    super('The cluster database does not answer on any server. Nothing was sent; ask again when it is back.')
  }
}

/**
 * A change that was sent and for which there is no reply, or one that does not say whether it was done. It may have
 * been executed, and is never sent again; what became of it is found out by looking.
 */
export class OutcomeUnknown extends Error {
  override readonly name = 'OutcomeUnknown'
  readonly code = 'outcome_unknown'
  /** The member it was sent to. */
  readonly member: string
  readonly attempts: number
  override readonly cause: MemberError

  constructor(cause: MemberError, attempts: number) {
    super(`${cause.member} was sent the request and its answer is not known: ${cause.message}`)
    this.cause = cause
    this.member = cause.member
    this.attempts = attempts
  }
}

const codeOf: Readonly<Record<MemberErrorKind, ProblemCode>> = {
  refused: 'member_unavailable',
  unreachable: 'member_unavailable',
  'timed-out': 'member_unavailable',
  reset: 'member_unavailable',
  'wrong-certificate': 'member_unavailable',
  'bad-reply': 'bad_upstream_reply',
  incus: 'cluster_failed',
  busy: 'member_busy',
  cancelled: 'member_unavailable',
}

/** Kinds by the `code` of what Node and undici throw, in whatever depth of causes it is found. */
const kindOfCode: Readonly<Record<string, MemberErrorKind>> = {
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENETDOWN: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  EACCES: 'unreachable',
  EPERM: 'unreachable',
  ENOTFOUND: 'unreachable',
  EAI_AGAIN: 'unreachable',
  EAI_FAIL: 'unreachable',
  EAI_NODATA: 'unreachable',
  EAI_NONAME: 'unreachable',
  ETIMEDOUT: 'timed-out',
  UND_ERR_CONNECT_TIMEOUT: 'timed-out',
  UND_ERR_HEADERS_TIMEOUT: 'timed-out',
  UND_ERR_BODY_TIMEOUT: 'timed-out',
  ECONNRESET: 'reset',
  ECONNABORTED: 'reset',
  EPIPE: 'reset',
  EPROTO: 'bad-reply',
  UND_ERR_SOCKET: 'reset',
  UND_ERR_CLOSED: 'cancelled',
  UND_ERR_DESTROYED: 'cancelled',
  UND_ERR_ABORTED: 'cancelled',
  UND_ERR_HEADERS_OVERFLOW: 'bad-reply',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'bad-reply',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'bad-reply',
}

const namesNotResolved = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'EAI_NONAME'])

/**
 * What was thrown while a member was asked, as a MemberError; one that is already there in the chain of causes is
 * given back. `phase` is the one under way; a name that does not resolve says so itself.
 */
export function memberErrorFrom(
  thrown: unknown,
  at: { member: string; phase: ProbePhase; sent: boolean },
): MemberError {
  for (const error of causesOf(thrown)) {
    if (error instanceof MemberError) return error
    const code = codeOfError(error)
    const kind = code === undefined ? undefined : (kindOfCode[code] ?? kindOfFamily(code))
    if (code === undefined || kind === undefined) continue
    const phase = namesNotResolved.has(code) ? 'resolve' : at.phase
    return new MemberError({
      ...at,
      kind,
      phase,
      message: describeFailure(kind, at.member, phase, code),
      cause: thrown,
    })
  }
  return new MemberError({
    ...at,
    kind: 'reset',
    message: `the connection to ${at.member} ended: ${messageOf(thrown)}`,
    cause: thrown,
  })
}

/** OpenSSL's alerts and undici's parser have a code for each of their many reasons; they mean the same to us. */
function kindOfFamily(code: string): MemberErrorKind | undefined {
  return code.startsWith('HPE_') || code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_') ? 'bad-reply' : undefined
}

function describeFailure(kind: MemberErrorKind, member: string, phase: ProbePhase, code: string): string {
  switch (kind) {
    case 'refused':
      return `${member} refuses connections`
    case 'unreachable':
      return phase === 'resolve'
        ? `the name of ${member} does not resolve (${code})`
        : `${member} cannot be reached (${code})`
    case 'timed-out':
      return describeSilence(member, phase)
    case 'reset':
      return `${member} closed the connection before it had answered (${code})`
    case 'bad-reply':
      return `${member} does not speak as Incus does (${code})`
    case 'cancelled':
      return `the request to ${member} was given up`
    case 'wrong-certificate':
    case 'incus':
    case 'busy':
      return `${member}: ${code}`
  }
}

/** In words, in which phase a member was silent for too long. */
export function describeSilence(member: string, phase: ProbePhase): string {
  switch (phase) {
    case 'resolve':
      return `the name of ${member} was not resolved in time`
    case 'connect':
      return `${member} did not accept a connection in time`
    case 'tls':
    case 'certificate':
      return `${member} accepted a connection and did not complete the TLS handshake in time`
    case 'answer':
      return `${member} did not answer in time`
  }
}

/** The error itself, then its causes; of several that failed together (happy eyeballs), each. At most 16. */
function causesOf(thrown: unknown): readonly unknown[] {
  const found: unknown[] = []
  const left = [thrown]
  while (left.length > 0 && found.length < 16) {
    const error = left.shift()
    if (error === undefined || error === null) continue
    found.push(error)
    if (error instanceof AggregateError) left.push(...(error.errors as unknown[]))
    if (error instanceof Error) left.push(error.cause)
  }
  return found
}

function codeOfError(error: unknown): string | undefined {
  // undici's parser has codes that it forgets to fill in; its name is all there is to know it by.
  if (error instanceof Error && error.name === 'HTTPParserError') return 'HPE_ERROR'
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
