// The way of every API request, from the parsed address to the reply:
//
//   who asks → what they ask → may they → written down → at most once → handler → written down → reply
//
// What changes something is in the history before it begins. What only looks is written down with the answer, in one
// turn of the loop: right after its last byte was handed on, or before the first where reads have to wait. A
// request that fails anywhere leaves through `fail`, which tells the history as well.

import { createHash } from 'node:crypto'
import type { RequestHandler } from 'express'
import type { Endpoint } from '@malleus/shared/api/endpoint.ts'
import { type Action, changes } from '@malleus/shared/domain/action.ts'
import type { Door, DoorSession, KeptReply } from './door.ts'
import { EventStream } from './event-stream.ts'
import { auditEntryOf, type Exchange, exchangeOf, type Out } from './exchange.ts'
import { packedIfLarge } from './packed-reply.ts'
import { problems, Refusal } from './problem.ts'
import { problemFor, sendProblem } from './problem-handler.ts'
import { isNavigation, sendProblemPage } from './problem-page.ts'
import { mediaType, readBody } from './read-body.ts'
import type { RequestContext, Route, RouteInput } from './route.ts'
import { type Input, inputReader } from './route-input.ts'
import { isSafe } from './same-origin.ts'

/** Serves one row of the route table. Everything that can be worked out beforehand is. */
export function serveRoute(door: Door, row: Route): RequestHandler {
  const { endpoint } = row
  const reader = inputReader(endpoint, door.settings.limits)
  const deadlineMs = deadlineOf(row, door)

  return async function serve(request): Promise<void> {
    const exchange = exchangeOf(request)
    exchange.route = `/api${endpoint.path}`
    const session = signedIn(exchange)

    const bytes = isSafe(exchange.method) ? null : await readJsonBytes(door, exchange)
    const input = reader.read(request, exchange.path.query, bytes)
    const action = describe(exchange, row, input)

    authorize(door, exchange, session, action)
    wantProof(door, exchange, row, session, input)

    const run = (): Promise<KeptReply> => handle(door, row, exchange, session, input, deadlineMs)
    if (changes(action)) send(exchange, await change(door, exchange, row, session, bytes, run))
    else await look(door, exchange, row, await run())
  }
}

/** `GET /api/live`: the same way, and then the stream belongs to whoever feeds it. */
export function serveLive(door: Door): RequestHandler {
  return async function serve(request): Promise<void> {
    const exchange = exchangeOf(request)
    exchange.route = '/api/live'
    const session = signedIn(exchange)
    if (exchange.path.query !== '') throw new Refusal('bad_query', 'This request takes no query.')
    exchange.action = 'live.read'
    authorize(door, exchange, session, 'live.read')
    await door.audit.read(auditEntryOf(exchange, outOf(door, exchange, 200, null, null)))
    exchange.recorded = 'whole'
    const cookieHeader = request.headers.cookie
    door.openLive({
      principal: session.principal,
      session,
      clientAddress: exchange.client.ip,
      lastEventId: request.headers['last-event-id']?.toString() ?? null,
      stream: new EventStream(exchange.response),
      sessionNow: async () => {
        const found = await door.findSession(cookieHeader)
        if (found.kind === 'found') return found.session
        return found.kind === 'ended' && found.renewed === true ? 'renewed' : null
      },
    })
  }
}

/** The only way out for whatever was thrown: the log, the history and the browser each get their part. */
export function fail(door: Door, exchange: Exchange, error: unknown): void {
  const { session } = exchange
  const administers = session?.principal.roles.includes('admin') ?? false
  const reply = problemFor(error, {
    requestId: exchange.id,
    knows: session === null ? 'nothing' : administers ? 'addresses' : 'clusters',
  })
  const { code } = reply.body
  door.metrics.refused(code)
  if (reply.unexpected) door.logger.error({ requestId: exchange.id, err: error }, 'A request failed unexpectedly')
  else if (reply.status >= 500) door.logger.warn({ requestId: exchange.id, code, err: error }, problems[code].title)
  const bytes = isNavigation(exchange) ? sendProblemPage(door, exchange, reply) : sendProblem(exchange.response, reply)
  recordFailure(door, exchange, outOf(door, exchange, reply.status, code, bytes))
}

function signedIn(exchange: Exchange): DoorSession {
  if (exchange.session === null) throw new Refusal('not_signed_in')
  return exchange.session
}

async function readJsonBytes({ clock, settings, bodyTag }: Door, exchange: Exchange): Promise<Buffer> {
  const { request } = exchange
  if (mediaType(request) !== 'application/json') throw new Refusal('unsupported_media_type')
  const bytes = await readBody(request, {
    mostBytes: settings.limits.jsonBytes,
    idleMs: settings.limits.bodyIdleMs,
    clock,
  })
  exchange.body = { tag: bodyTag(bytes), keys: [] }
  return bytes
}

/** What is being done to what, in the words that policy and history share. */
function describe(exchange: Exchange, row: Route, input: Input): Action {
  const { params, body } = input
  // The row was made by `route()`, which checked its functions against its endpoint, and the input was read by the
  // schemas of the same endpoint.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const action = typeof row.action === 'string' ? row.action : row.action(body as undefined)
  exchange.action = action
  exchange.cluster = params['cluster'] ?? clusterIn(input.query)
  exchange.object =
    row.object === undefined
      ? lastParameter(row.endpoint, params)
      : // As above.
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion
        row.object(params, body as undefined)
  // As above.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  exchange.project = row.project?.(body as undefined) ?? null
  if (exchange.body !== null && typeof body === 'object' && body !== null) {
    exchange.body = { ...exchange.body, keys: Object.keys(body) }
  }
  return action
}

function clusterIn(query: unknown): string | null {
  if (typeof query !== 'object' || query === null || !('cluster' in query)) return null
  return typeof query.cluster === 'string' ? query.cluster : null
}

function lastParameter(endpoint: Endpoint, params: Readonly<Record<string, string>>): string | null {
  const name = /.*:([A-Za-z]+)/.exec(endpoint.path)?.[1]
  return name === undefined || name === 'cluster' ? null : (params[name] ?? null)
}

/** What a person may not see does not exist for them; what they may see and not do, they are refused. */
function authorize(door: Door, exchange: Exchange, { principal }: DoorSession, action: Action): void {
  const { cluster, project } = exchange
  const place = cluster === null ? {} : { cluster, ...(project !== null && { project }) }
  const decision = door.policy.may(principal, action, place)
  exchange.decision = decision
  if (decision.allow) return
  if (decision.rule === 'not-visible')
    throw new Refusal('not_found', 'There is no such cluster, or you may not see it.')
  throw new Refusal(principal.roles.length === 0 ? 'no_role' : 'forbidden')
}

/** After the role, so that nobody proves who they are to be told that they may not; before anything begins. */
function wantProof(door: Door, exchange: Exchange, row: Route, { principal }: DoorSession, input: Input): void {
  const { stepUp } = row
  if (stepUp === undefined || door.provenLately(principal)) return
  // As above: the input was read by the schemas of this row's endpoint.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  if (stepUp !== true && !stepUp.applies(input as RouteInput<Endpoint>, principal)) return
  exchange.decision = { allow: false, rule: 'step-up' }
  throw new Refusal('step_up_required')
}

async function look(door: Door, exchange: Exchange, row: Route, reply: KeptReply): Promise<void> {
  const { packed: mayPack = false } = row
  const packed = mayPack ? await packedIfLarge(reply.body, exchange.request.headers['accept-encoding']) : null
  const record = async (): Promise<void> => {
    await door.audit.read(auditEntryOf(exchange, outOf(door, exchange, reply.status, null, reply.body.length)))
    exchange.recorded = 'whole'
  }
  if (door.audit.readsWait) {
    await record()
    send(exchange, reply, mayPack ? { packed } : undefined)
  } else {
    send(exchange, reply, mayPack ? { packed } : undefined)
    await record()
  }
}

async function change(
  door: Door,
  exchange: Exchange,
  row: Route,
  session: DoorSession,
  bytes: Buffer | null,
  run: () => Promise<KeptReply>,
): Promise<KeptReply> {
  const key = idempotencyKey(exchange)
  await door.audit.intent(auditEntryOf(exchange, null))
  exchange.recorded = 'intent'
  const { principal } = session
  const bodyHash = hashOf(exchange, bytes)
  const request = { key, principal, bodyHash }
  const reply = row.secret ? await runOnce(door, exchange, request, run) : await door.idempotency.run(request, run)
  door.audit.outcome(auditEntryOf(exchange, outOf(door, exchange, reply.status, null, reply.body.length)))
  exchange.recorded = 'whole'
  // Whoever changes something is there; that this could not be noted must not undo what was done.
  session.touch().catch((error: unknown) => {
    door.logger.warn({ requestId: exchange.id, err: error }, 'The session could not be kept from locking')
  })
  return reply
}

/** What is kept of a reply that holds a secret is only which operation was begun. */
async function runOnce(
  door: Door,
  exchange: Exchange,
  request: Parameters<Door['idempotency']['run']>[0],
  run: () => Promise<KeptReply>,
): Promise<KeptReply> {
  let whole: KeptReply | null = null
  const kept = await door.idempotency.run(request, async () => {
    whole = await run()
    return { ...whole, body: JSON.stringify({ operation: exchange.answer?.operation ?? null }) }
  })
  if (whole !== null) return whole
  throw new Refusal('already_done', `Its answer is shown once and was not kept: ${kept.body}`)
}

function idempotencyKey({ request }: Exchange): string {
  const key = request.headers['idempotency-key']
  if (typeof key !== 'string' || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(key)) {
    throw new Refusal('idempotency_key_required', 'Idempotency-Key has to be a UUID.')
  }
  return key.toLowerCase()
}

/** The same key for another change is a mistake, wherever the difference is. */
function hashOf({ method, path, request }: Exchange, bytes: Buffer | null): string {
  const target = request.headers['x-malleus-target'] ?? ''
  return createHash('sha256')
    .update(JSON.stringify([method, path.raw, path.query, target]))
    .update(bytes ?? '')
    .digest('hex')
}

async function handle(
  door: Door,
  row: Route,
  exchange: Exchange,
  session: DoorSession,
  input: Input,
  deadlineMs: number | null,
): Promise<KeptReply> {
  const { promise: done, resolve, reject } = Promise.withResolvers<unknown>()
  const ending = endingOf(door, row, exchange, deadlineMs, reject)
  const context: RequestContext = {
    requestId: exchange.id,
    principal: session.principal,
    clientAddress: exchange.client.ip,
    target: input.target,
    scope: async (cluster) => {
      const scope = await session.scope(cluster, exchange.client.ip)
      exchange.mode = scope.kind === 'bearer' ? 'bearer' : 'certificate'
      return scope
    },
    answeredBy: ({ via, attempts, hedged }, operation = null) => {
      exchange.answer = { via, attempts, hedged, operation }
    },
    touch: () => session.touch(),
    get signal() {
      return ending.signal
    },
  }
  try {
    // As above: the input was read by the schemas of this row's endpoint.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    row.handler(context, input as RouteInput<Endpoint>).then(resolve, reject)
    const value = await done
    const { answer } = exchange
    return {
      status: row.status ?? 200,
      body: JSON.stringify(value),
      via: answer?.via ?? null,
      attempts: answer?.attempts ?? 1,
    }
  } finally {
    ending.stop()
  }
}

interface Ending {
  readonly signal: AbortSignal
  stop(): void
}

const OVERDUE_MS = 1_000

/**
 * When a handler has to stop: at the deadline of its class, and when the browser has gone. A change that was begun is
 * not given up because nobody waits for it any more: its outcome would be unknown for no reason.
 *
 * @param overdue called a while after the deadline, for a handler that did not listen to the signal
 */
function endingOf(
  { clock }: Door,
  row: Route,
  { response }: Exchange,
  deadlineMs: number | null,
  overdue: (why: Refusal) => void,
): Ending {
  // Most handlers ask for no signal, and none of those who are answered in time needs one.
  let controller: AbortController | undefined
  let ended: Refusal | undefined
  const end = (why: Refusal): void => {
    ended ??= why
    controller?.abort(why)
  }
  const gone = (): void => end(new Refusal('bad_request', 'The browser has gone.'))
  if (row.class !== 'mutate') response.once('close', gone)
  let cancel = (): void => {}
  if (deadlineMs !== null) {
    // Made when it is needed: an error takes its stack along, and nearly every request is in time.
    const late = (): Refusal => new Refusal(row.class === 'mutate' ? 'outcome_unknown' : 'deadline_exceeded')
    cancel = clock.after(deadlineMs, () => {
      end(late())
      cancel = clock.after(OVERDUE_MS, () => overdue(late()))
    })
  }
  return {
    get signal() {
      controller ??= new AbortController()
      if (ended !== undefined) controller.abort(ended)
      return controller.signal
    },
    stop() {
      response.off('close', gone)
      cancel()
    },
  }
}

function deadlineOf(row: Route, { settings: { limits } }: Door): number | null {
  switch (row.class) {
    case 'read':
      return limits.readMs
    case 'list':
      return limits.listMs
    case 'mutate':
      return limits.mutationMs
    case 'longpoll':
      return limits.longPollMs
    case 'stream':
    case 'download':
    case 'upload':
      return null
  }
}

function send(
  { response }: Exchange,
  { status, body, via, attempts }: KeptReply,
  as?: { readonly packed: Buffer | null },
): void {
  if (response.destroyed) return
  const packed = as?.packed ?? null
  if (as !== undefined) response.setHeader('vary', 'accept-encoding')
  if (packed !== null) response.setHeader('content-encoding', 'gzip')
  if (via !== null) response.setHeader('x-malleus-via', encodeURI(via))
  if (attempts > 1) response.setHeader('x-malleus-attempts', String(attempts))
  response.setHeader('content-type', 'application/json')
  response.setHeader('content-length', packed?.length ?? Buffer.byteLength(body))
  response.writeHead(status)
  response.end(packed ?? body)
}

/** Codes of those who were turned away because of who they are or where they come from. */
const denials: ReadonlySet<string> = new Set([
  'cross_site',
  'not_signed_in',
  'session_expired',
  'session_renewed',
  'other_person',
  'too_many_requests',
])

function recordFailure(door: Door, exchange: Exchange, out: Out): void {
  if (denials.has(out.code ?? '') && exchange.decision === null) {
    exchange.decision = { allow: false, rule: out.code ?? '' }
  }
  const entry = auditEntryOf(exchange, out)
  if (exchange.recorded === 'whole') return
  if (exchange.recorded === 'intent') {
    door.audit.outcome(entry)
    return
  }
  if (exchange.decision === null) return
  const lost = (error: unknown): void => {
    door.logger.error({ requestId: exchange.id, err: error }, 'A refused request is missing in the access history')
  }
  try {
    if (exchange.decision.allow) door.audit.read(entry).catch(lost)
    else door.audit.record(entry)
  } catch (error) {
    lost(error)
  }
}

function outOf({ clock }: Door, exchange: Exchange, status: number, code: string | null, bytes: number | null): Out {
  return { status, code, bytes, ms: Math.round((clock.monotonic() - exchange.startedAt) * 10) / 10 }
}
