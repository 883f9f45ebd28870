// Bytes of a member → a parsed value, or a MemberError. The only place that knows Incus's statuses and texts.

import type { ProblemCode } from '@malleus/shared/api/problem.ts'
import { IncusReply } from '@malleus/shared/incus/reply.ts'
import type { z } from 'zod'
import { withoutSecrets } from '../lib/redact.ts'
import { shortened } from '../lib/shortened.ts'
import type { WireReply } from './exchange.ts'
import { readRows } from './json-rows.ts'
import { MemberError } from './member-error.ts'

/** What an answer of Incus comes to. */
export interface ParsedReply<Parsed> {
  readonly value: Parsed
  /** Path of the operation of an asynchronous answer. */
  readonly operation: string | null
  readonly etag: string | null
}

export interface ReplyContext<Parsed> {
  readonly member: string
  /** Whether the request carried a person's token: then 401 means that the token was refused. */
  readonly bearer: boolean
  readonly parse: z.ZodType<Parsed>
}

const mostTextLength = 512

/** Reads one answer. Throws a MemberError: `incus` when Incus says no, `bad-reply` for what Incus would not say. */
export function readIncusReply<Parsed>(reply: WireReply, context: ReplyContext<Parsed>): ParsedReply<Parsed> {
  return parsedReply(reply, context, () => jsonOf(reply, context.member))
}

/** The same for a list that may be very long: rejects with what the other throws. */
export async function readIncusRows<Parsed>(
  reply: WireReply,
  context: ReplyContext<Parsed>,
  eachRow: (row: unknown) => unknown,
): Promise<ParsedReply<Parsed>> {
  const json = await readRows(reply.body, eachRow)
  return parsedReply(reply, context, () => json ?? jsonOf(reply, context.member))
}

function parsedReply<Parsed>(
  reply: WireReply,
  context: ReplyContext<Parsed>,
  json: () => unknown,
): ParsedReply<Parsed> {
  const { status } = reply
  if (status >= 300 && status < 400) throw bad(reply, context.member, `a redirect (${status}), which is never followed`)
  const envelope = IncusReply.safeParse(json())
  if (!envelope.success) {
    if (status >= 400) throw refusal('', status, context)
    throw bad(reply, context.member, 'no envelope of Incus', envelope.error)
  }
  if (envelope.data.type === 'error') throw refusal(envelope.data.error, envelope.data.error_code || status, context)
  if (status >= 400) throw refusal('', status, context)
  const value = context.parse.safeParse(envelope.data.metadata)
  if (!value.success) throw bad(reply, context.member, 'another shape than Incus has here', value.error)
  return {
    value: value.data,
    operation: envelope.data.type === 'async' ? envelope.data.operation : null,
    etag: etagOf(reply),
  }
}

export function etagOf({ headers: { etag } }: WireReply): string | null {
  return typeof etag === 'string' ? etag : null
}

/**
 * Whether Incus says that its cluster database does not answer: it has no leader, or the leader none of the others.
 * The texts are those of cowsql and of Go's contexts (incus `internal/server/db/cluster`, `cmd/incusd/api.go`). Programs
 * that Incus runs may say the same of something else.
 */
export function saysDatabaseUnavailable(status: number, text: string): boolean {
  return (
    (status === 500 || status === 503) &&
    !text.startsWith('Failed to run ') &&
    /cowsql|\bleader\b|context deadline|transaction/i.test(text)
  )
}

/** Whether the daemon says that it is not up yet (incus `cmd/incusd/daemon.go`). */
export function saysStarting(error: MemberError): boolean {
  return error.status === 503 && /starting up/i.test(error.message)
}

/**
 * Whether the same question may be answered better by another member: this one starts or stops, lost its way to the
 * database or to the identity provider's keys. Every other answer of Incus is one.
 */
export function mayDifferElsewhere(error: MemberError): boolean {
  if (error.kind !== 'incus') return error.kind !== 'cancelled'
  const { status } = error
  return error.database || error.code === 'cluster_rejected_token' || status === 502 || status === 503 || status === 504
}

/**
 * Whether an answer to a change tells that the change was not made. A 503 does not: the same text comes from handlers
 * that have done part of their work.
 */
export function saysNotDone(error: MemberError): boolean {
  return error.kind === 'incus' && (!mayDifferElsewhere(error) || error.code === 'cluster_rejected_token')
}

function refusal(text: string, status: number, context: ReplyContext<unknown>): MemberError {
  const message =
    text === '' ? `${context.member} answered with status ${status}` : shortened(withoutSecrets(text), mostTextLength)
  return new MemberError({
    kind: 'incus',
    member: context.member,
    phase: 'answer',
    sent: true,
    status,
    message,
    code: codeOf(status, context.bearer),
    database: saysDatabaseUnavailable(status, text),
  })
}

function codeOf(status: number, bearer: boolean): ProblemCode {
  switch (status) {
    case 401:
      return bearer ? 'cluster_rejected_token' : 'cluster_refused'
    case 403:
      return 'cluster_refused'
    case 404:
      return 'not_found'
    case 412:
      return 'precondition_failed'
    case 400:
    case 409:
    case 423:
      return 'not_possible'
    default:
      return 'cluster_failed'
  }
}

/** Undefined, which no schema takes, when it is not JSON; an error status then speaks for itself. */
function jsonOf(reply: WireReply, member: string): unknown {
  try {
    return JSON.parse(reply.body.toString('utf8')) as unknown
  } catch (error) {
    if (reply.status >= 400) return undefined
    throw bad(reply, member, 'something that is not JSON', error)
  }
}

function bad(reply: WireReply, member: string, what: string, cause?: unknown): MemberError {
  const message = `${member} answered with ${what}`
  return new MemberError({
    kind: 'bad-reply',
    member,
    phase: 'answer',
    sent: true,
    status: reply.status,
    message,
    cause,
  })
}
