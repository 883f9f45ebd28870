import type { IncomingMessage, ServerResponse } from 'node:http'
import { authorize } from './authorization.ts'
import type { Call, ClusterParts } from './call.ts'
import type { Member } from './member.ts'
import { MemberDied } from './member.ts'
import { logRequest, logUnknownPath } from './request-log.ts'
import { asyncEnvelope, errorEnvelope, IncusError, syncEnvelope } from './replies.ts'
import type { Reply } from './replies.ts'
import { readJson } from './request-body.ts'
import { findRoute } from './router.ts'
import type { Route } from './router.ts'
import { certificateRoutes } from './routes/certificates.ts'
import { clusterRoutes } from './routes/cluster.ts'
import { subscribe } from './routes/events.ts'
import { instanceRoutes } from './routes/instances.ts'
import { memberStateRoutes } from './routes/member-state.ts'
import { operationRoutes } from './routes/operations.ts'
import { projectRoutes } from './routes/projects.ts'
import { resourceRoutes } from './routes/resources.ts'
import { serverRoutes } from './routes/server.ts'
import { acceptWebSocket, TalkingSocket } from './websocket.ts'
import type { Wire } from './wire.ts'

const ROUTES: readonly Route[] = [
  ...serverRoutes,
  ...clusterRoutes,
  ...memberStateRoutes,
  ...instanceRoutes,
  ...resourceRoutes,
  ...operationRoutes,
  ...certificateRoutes,
  ...projectRoutes,
]

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

/** Answers one request on one member, from its first check to its last byte. */
export async function answer(
  parts: ClusterParts,
  member: Member,
  request: IncomingMessage,
  response: ServerResponse,
  wire: Wire,
): Promise<void> {
  record(parts, member, request, wire)
  try {
    const body = await readJson(request)
    await send(response, await replyTo(parts, member, request, wire, body))
  } catch (error) {
    if (error instanceof MemberDied) response.destroy()
    else if (error instanceof IncusError) sendError(response, error, parts.authenticator.challenge(member))
    else if (wire.left.aborted) response.end()
    else sendError(response, new IncusError(500, error instanceof Error ? error.message : String(error)), {})
  }
}

/** Answers a request for an upgrade: only the event stream has one. */
export async function upgrade(
  parts: ClusterParts,
  member: Member,
  request: IncomingMessage,
  wire: Wire,
): Promise<void> {
  record(parts, member, request, wire)
  try {
    const { path } = splitUrl(request)
    refuseWhileStarting(member)
    if (path !== '/1.0/events') throw new IncusError(404, 'not found')
    const call = await callOf(parts, member, request, wire, { body: undefined, params: {} })
    logRequest(call, request, wire, false)
    const subscription = subscribe(call)
    const key = request.headers['sec-websocket-key']
    if (key === undefined) throw new IncusError(400, 'Bad Request')
    wire.upgraded()
    wire.write(acceptWebSocket(key))
    const socket = new TalkingSocket(wire)
    const stop = parts.events.listen({ ...subscription, socket, member })
    wire.on('close', stop)
    wire.left.addEventListener('abort', stop, { once: true })
  } catch (error) {
    const refusal = error instanceof IncusError ? error : new IncusError(500, String(error))
    refuseUpgrade(wire, refusal, parts.authenticator.challenge(member))
  }
}

async function replyTo(
  parts: ClusterParts,
  member: Member,
  request: IncomingMessage,
  wire: Wire,
  body: unknown,
): Promise<Reply> {
  refuseWhileStarting(member)
  const { path } = splitUrl(request)
  const method = request.method ?? 'GET'
  const found = findRoute(ROUTES, method, path)
  if (found.kind === 'no-path') {
    logUnknownPath(parts.events, member, request, wire)
    throw new IncusError(404, 'not found')
  }
  const params = found.kind === 'route' ? found.params : {}
  const call = await callOf(parts, member, request, wire, { body, params })
  logRequest(call, request, wire, found.kind === 'route' && found.route.need === 'public')
  if (!METHODS.includes(method)) throw new IncusError(404, `Method "${method}" not found`)
  if (found.kind === 'no-method') throw new IncusError(501, 'not implemented')
  const { route } = found
  authorize(route.need, call)
  const { leadership } = parts.state
  if (route.withoutDatabase !== true) await leadership.database(member, wire.left, route.looksUpLeader)
  return route.answer(call)
}

async function callOf(
  parts: ClusterParts,
  member: Member,
  request: IncomingMessage,
  wire: Wire,
  { body, params }: Pick<Call, 'body' | 'params'>,
): Promise<Call> {
  const { path, query } = splitUrl(request)
  const caller = await parts.authenticator.caller(member, {
    authorization: request.headers.authorization,
    cookie: request.headers.cookie,
    peerFingerprint: wire.peerFingerprint,
  })
  return {
    ...parts,
    via: member,
    caller,
    method: request.method ?? 'GET',
    path,
    params,
    query,
    body,
    ifMatch: request.headers['if-match'],
    peerFingerprint: wire.peerFingerprint,
    peerCertificate: wire.peerCertificate,
    peerAddress: wire.peerAddress,
    left: wire.left,
  }
}

function refuseWhileStarting(member: Member): void {
  if (member.process === 'starting') throw new IncusError(503, 'Daemon is starting up')
}

function splitUrl(request: IncomingMessage): { path: string; query: URLSearchParams } {
  const [path = '/', query = ''] = (request.url ?? '/').split('?', 2)
  return { path, query: new URLSearchParams(query) }
}

function record(parts: ClusterParts, member: Member, request: IncomingMessage, wire: Wire): void {
  const { rawHeaders } = request
  parts.recorder.request({
    at: parts.state.clock.now(),
    member: member.name,
    method: request.method ?? '',
    url: request.url ?? '',
    headers: rawHeaders.flatMap((name, index) =>
      index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? ''] as const] : [],
    ),
    peerFingerprint: wire.peerFingerprint,
    authorization: request.headers.authorization ?? null,
    peerAddress: wire.peerAddress,
  })
}

async function send(response: ServerResponse, reply: Reply): Promise<void> {
  switch (reply.kind) {
    case 'async':
      return sendJson(response, 202, asyncEnvelope(reply.operation.url, reply.operation.metadata), {
        Location: reply.operation.url,
      })
    case 'hang-up':
      response.destroy()
      return
    case 'later':
      response.writeHead(200, { 'Content-Type': 'application/json', 'X-Content-Type-Options': 'nosniff' })
      response.flushHeaders()
      response.end(await reply.body)
      return
    case 'sync':
      return sendJson(response, reply.status ?? 200, syncEnvelope(reply.metadata), {
        ...(reply.location === undefined ? {} : { Location: reply.location }),
        ...(reply.etag === undefined ? {} : { ETag: `"${reply.etag}"` }),
      })
  }
}

function sendJson(response: ServerResponse, status: number, body: string, headers: Record<string, string>): void {
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  })
  response.end(body)
}

/** @param challenge how to sign in, which comes with every 401 and 403. */
function sendError(response: ServerResponse, error: IncusError, challenge: Readonly<Record<string, string>>): void {
  if (response.headersSent) response.end()
  else {
    const headers = { 'X-Content-Type-Options': 'nosniff', ...(isRefusal(error) ? challenge : {}) }
    sendJson(response, error.code, errorEnvelope(error.code, error.message), headers)
  }
}

function isRefusal({ code }: IncusError): boolean {
  return code === 401 || code === 403
}

function refuseUpgrade(wire: Wire, error: IncusError, challenge: Readonly<Record<string, string>>): void {
  const body = errorEnvelope(error.code, error.message)
  const headers = Object.entries(isRefusal(error) ? challenge : {}).map(([name, value]) => `${name}: ${value}`)
  wire.end(
    [
      `HTTP/1.1 ${error.code} Refused`,
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      ...headers,
      '',
      body,
    ].join('\r\n'),
  )
}
