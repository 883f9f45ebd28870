import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { Socket } from 'node:net'
import { Router, type Request, type RequestHandler, type Response } from 'express'
import { logWhenDone } from './access-log.ts'
import { admission, type Admit, openDescription, refuseCrossSite } from './admission.ts'
import { authHandlers } from './auth-pages.ts'
import { clientAddress } from './client-address.ts'
import type { Door } from './door.ts'
import { downloadHandler } from './download-page.ts'
import { beginExchange, type Exchange, exchangeOf } from './exchange.ts'
import { describeApi } from './openapi.ts'
import { answerParserError } from './parser-error.ts'
import { isCondemned } from './problem-handler.ts'
import { fail, serveLive, serveRoute } from './pipeline.ts'
import { Refusal } from './problem.ts'
import { reportsHandler } from './reports.ts'
import { checkRequestHeaders } from './request-headers.ts'
import { parseRequestPath } from './request-path.ts'
import type { Route } from './route.ts'
import { setSecurityHeaders } from './security-headers.ts'

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])

/**
 * The door in: the route table as a server, over HTTPS when there is a certificate. It does not listen yet.
 *
 * Everything that any request has to pass stands before routing, so that a new route cannot forget it.
 */
export function createHttpServer(door: Door): Server {
  const entrance = { door, admit: admission(door), route: createRouter(door) }
  const { limits, tls } = door.settings
  const options = {
    // Longer ones never reach our own limits; the parser answers by itself, see `clientError`.
    maxHeaderSize: limits.urlBytes + 2 * limits.headerBytes,
    headersTimeout: 10_000,
    connectionsCheckingInterval: 5_000,
    // Above the idle time of the usual proxies, so that it is never us who close a connection they are about to use.
    keepAliveTimeout: 75_000,
    insecureHTTPParser: false,
    // We look ourselves: the parser would answer, and go on with what follows on the connection.
    requireHostHeader: false,
    noDelay: true,
  }
  const listener = (request: IncomingMessage, response: ServerResponse): void => enter(entrance, request, response)
  const server =
    tls === null
      ? createHttp(options, listener)
      : createHttps({ ...options, cert: tls.certificate, key: tls.key, minVersion: 'TLSv1.2' }, listener)
  // One more than is allowed: the parser drops the rest without a word, and the check can see that there was more.
  server.maxHeadersCount = limits.headerCount + 1
  server.on('clientError', (error: Error, socket: Socket) => answerParserError(door, error, socket))
  server.on('tlsClientError', (error: Error) => door.logger.debug({ err: error }, 'A TLS handshake failed'))
  return server
}

interface Entrance {
  readonly door: Door
  readonly admit: Admit
  readonly route: Router
}

function enter(entrance: Entrance, request: IncomingMessage, response: ServerResponse): void {
  // What follows a request that was not well formed may have been meant as its body; it was parsed already, and is not
  // a request to anybody who sees the first one differently.
  if (isCondemned(request.socket)) return
  const { door } = entrance
  const { settings, random, clock, draining, logger } = door
  const id = random.uuid()
  const forwarded = request.headers['x-forwarded-for']
  const exchange = beginExchange({
    id,
    request,
    response,
    client: clientAddress(request.socket.remoteAddress, forwarded?.toString(), settings.trustedProxies),
    startedAt: clock.monotonic(),
  })
  response.setHeader('x-request-id', id)
  setSecurityHeaders(response)
  // Whoever stops says so on every answer. Nothing is upgraded here, and the parser reads nothing more from who asked.
  if (draining.phase !== 'serving' || request.headers.upgrade !== undefined) response.setHeader('connection', 'close')
  response.on('error', (error) => logger.debug({ requestId: id, err: error }, 'An answer could not be written'))
  logWhenDone(door, exchange)
  try {
    // At once: when this request is not well formed, what follows on its connection must not be looked at.
    checkRequestHeaders(request, settings.limits)
    if (!methods.has(exchange.method)) throw wrongMethod('GET, HEAD, POST, PUT, PATCH, DELETE')
    exchange.path = parseRequestPath(request.url ?? '')
    if (draining.phase === 'draining') throw new Refusal('draining', undefined, { closes: true })
  } catch (error) {
    fail(door, exchange, error)
    return
  }
  pass(entrance, exchange).catch((error: unknown) => fail(door, exchange, error))
}

async function pass({ door, admit, route }: Entrance, exchange: Exchange): Promise<void> {
  const { request, response } = exchange
  if (exchange.path.segments[0] === 'api') await admit(exchange)
  // Routing is all that Express is asked for, and it looks at nothing of its own requests and responses for that; its
  // application would change the prototypes of both, which slows down whatever touches them afterwards.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  route(request as Request, response as Response, (error: unknown) => {
    fail(door, exchange, error ?? new Refusal('not_found'))
  })
}

function createRouter(door: Door): Router {
  const router = Router({ caseSensitive: true, strict: true })
  mountApi(router, door)
  mountPages(router, door)
  return router
}

function mountApi(router: Router, door: Door): void {
  const description = JSON.stringify(describeApi(door.routes, door.settings.version))
  router.get(openDescription, (request, response) => {
    const exchange = exchangeOf(request)
    exchange.route = openDescription
    if (exchange.method === 'HEAD') throw wrongMethod('GET')
    response.setHeader('content-type', 'application/json')
    response.end(description)
  })
  router.get('/api/live', notForHead(serveLive(door)))
  for (const row of door.routes) mountRoute(router, row, serveRoute(door, row))
  for (const [path, allow] of allowedMethods(door.routes)) {
    router.all(path, () => {
      throw wrongMethod(allow)
    })
  }
  router.use('/api', () => {
    throw new Refusal('not_found')
  })
}

function mountPages(router: Router, door: Door): void {
  const auth = authHandlers(door)
  router.get('/auth/login', auth.login)
  router.get('/auth/callback', auth.callback)
  router.post('/auth/logout', (request, _response, next) => {
    refuseCrossSite(door, exchangeOf(request))
    next()
  })
  router.post('/auth/logout', auth.logout)
  router.post('/auth/backchannel-logout', auth.backchannelLogout)
  router.post('/reports', reportsHandler(door))
  for (const path of ['/auth/login', '/auth/callback']) router.all(path, () => throwWrongMethod('GET'))
  for (const path of ['/auth/logout', '/auth/backchannel-logout', '/reports'])
    router.all(path, () => throwWrongMethod('POST'))
  router.get('/d/:ticket', notForHead(downloadHandler(door)))
  router.use(['/auth', '/d'], () => {
    throw new Refusal('not_found')
  })
  router.use((request) => {
    const { method, path, response } = exchangeOf(request)
    if (method !== 'GET' && method !== 'HEAD') throw wrongMethod('GET, HEAD')
    const accept = request.headers.accept ?? '*/*'
    door.site.serve(response, {
      path: path.raw,
      acceptEncoding: request.headers['accept-encoding'] ?? '',
      wantsPage: accept.includes('text/html') || accept === '*/*',
    })
  })
}

function mountRoute(router: Router, { endpoint }: Route, handler: RequestHandler): void {
  const path = `/api${endpoint.path}`
  switch (endpoint.method) {
    case 'GET':
      router.get(path, notForHead(handler))
      break
    case 'POST':
      router.post(path, handler)
      break
    case 'PUT':
      router.put(path, handler)
      break
    case 'PATCH':
      router.patch(path, handler)
      break
    case 'DELETE':
      router.delete(path, handler)
      break
  }
}

/** Express would serve HEAD by the handler of GET as well, with all that a GET costs; a stream would never end. */
function notForHead(handler: RequestHandler): RequestHandler {
  return (request, response, next) => (request.method === 'HEAD' ? next() : handler(request, response, next))
}

function allowedMethods(routes: readonly Route[]): ReadonlyMap<string, string> {
  const allowed = new Map([
    ['/api/live', 'GET'],
    [openDescription, 'GET'],
  ])
  for (const { endpoint } of routes) {
    const path = `/api${endpoint.path}`
    const known = allowed.get(path)
    allowed.set(path, known === undefined ? endpoint.method : `${known}, ${endpoint.method}`)
  }
  return allowed
}

function wrongMethod(allow: string): Refusal {
  return new Refusal('method_not_allowed', undefined, { headers: { allow } })
}

function throwWrongMethod(allow: string): never {
  throw wrongMethod(allow)
}
