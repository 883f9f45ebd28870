import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type Problem, ProblemCode } from '@malleus/shared/api/problem.ts'
import { withoutSecrets } from '../lib/redact.ts'
import { withoutAddresses } from '../lib/without-addresses.ts'
import { problems, Refusal } from './problem.ts'

/** What is sent for an error: everything that may be told, and nothing else. */
export interface ProblemReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Problem
  /** Whether it is our fault, so that somebody should look at the cause. */
  readonly unexpected: boolean
}

export interface ProblemAudience {
  readonly requestId: string
  /** Incus's own words are for people who are signed in; addresses of servers are for administrators. */
  readonly knows: 'nothing' | 'clusters' | 'addresses'
}

/**
 * An error as a status and a problem (RFC 9457). Anything may have been thrown; errors are recognised by their `code`,
 * so the door need not know the rooms they come from.
 */
export function problemFor(error: unknown, { requestId, knows }: ProblemAudience): ProblemReply {
  const code = codeOf(error)
  const { status, title } = problems[code]
  const detail = detailOf(error, code, knows)
  return {
    status: code === 'cluster_refused' ? statusOfRefusal(error) : status,
    headers: headersOf(error, code),
    unexpected: code === 'internal',
    body: {
      type: `urn:malleus:problem:${code}`,
      title,
      status: code === 'cluster_refused' ? statusOfRefusal(error) : status,
      ...(detail !== undefined && { detail }),
      code,
      requestId,
      ...(code === 'outcome_unknown' && { outcome: 'unknown' as const }),
    },
  }
}

/** Sends it, unless an answer has begun already: then the connection is all that can be ended. */
export function sendProblem(response: ServerResponse, { status, headers, body }: ProblemReply): number {
  if (response.headersSent) {
    response.destroy()
    return 0
  }
  const text = JSON.stringify(body)
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  response.setHeader('content-type', 'application/problem+json')
  response.setHeader('content-length', Buffer.byteLength(text))
  // What is left of a body that nobody read would be taken for the next request.
  if (!response.req.complete) response.setHeader('connection', 'close')
  if (response.getHeader('connection') === 'close') condemned.add(response.req.socket)
  response.writeHead(status)
  response.end(text)
  return Buffer.byteLength(text)
}

const condemned = new WeakSet<Socket>()

/** Whether nothing more may be read from a connection: it is closed as soon as the last answer is out. */
export function isCondemned(socket: Socket): boolean {
  return condemned.has(socket)
}

function codeOf(error: unknown): ProblemCode {
  const parsed = ProblemCode.safeParse(property(error, 'code'))
  return parsed.success ? parsed.data : 'internal'
}

function headersOf(error: unknown, code: ProblemCode): Record<string, string> {
  const attempts = property(error, 'attempts')
  return {
    ...(code === 'member_busy' && { 'retry-after': '1' }),
    ...(typeof attempts === 'number' && attempts > 1 && { 'x-malleus-attempts': String(attempts) }),
    ...(error instanceof Refusal && error.headers),
    ...(error instanceof Refusal && error.closes && { connection: 'close' }),
  }
}

/** Failures of our own parts, whose messages name files, statements and addresses: for the log only. */
const silentCodes: ReadonlySet<ProblemCode> = new Set([
  'internal',
  'audit_unavailable',
  'storage_unavailable',
  'provider_unavailable',
  'sign_in_failed',
  'not_signed_in',
  'session_expired',
  'session_renewed',
])

function detailOf(error: unknown, code: ProblemCode, knows: ProblemAudience['knows']): string | undefined {
  if (error instanceof Refusal) return error.detail
  const own = property(error, 'detail')
  if (typeof own === 'string') return presentable(own)
  if (silentCodes.has(code) || knows === 'nothing' || !(error instanceof Error) || error.message === '')
    return undefined
  const text = presentable(error.message)
  return knows === 'addresses' ? text : withoutAddresses(text)
}

/** Incus answers in its own statuses; those that mean the same here are kept, the rest is a conflict. */
function statusOfRefusal(error: unknown): number {
  const status = property(error, 'status')
  return typeof status === 'number' && [400, 403, 404, 409, 412, 423].includes(status) ? status : 409
}

function presentable(text: string): string {
  const plain = withoutSecrets(text.slice(0, 4096))
    .toWellFormed()
    .replaceAll(/\p{Cc}+/gu, ' ')
  return plain.length > 512 ? `${plain.slice(0, 511)}…` : plain
}

function property(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !(name in value)) return undefined
  const found: unknown = Reflect.get(value, name)
  return found
}
