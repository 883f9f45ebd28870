import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { Socket } from 'node:net'
import express, { type Express, type NextFunction, type Request, type RequestHandler, type Response } from 'express'
import { logWhenDone } from './access-log.ts'
import { authHandlers } from './auth-pages.ts'
import { clientAddress, networkOf } from './client-address.ts'
import { personTag } from '../lib/person-tag.ts'
import type { Door } from './door.ts'
import { beginExchange, type Exchange, exchangeOf } from './exchange.ts'
import { describeApi } from './openapi.ts'
import { answerParserError } from './parser-error.ts'
import { isCondemned } from './problem-handler.ts'
import { fail, serveLive, serveRoute } from './pipeline.ts'
import { Refusal } from './problem.ts'
import { RateLimit } from './rate-limit.ts'
import { reportsHandler } from './reports.ts'
import { checkRequestHeaders } from './request-headers.ts'
import { parseRequestPath } from './request-path.ts'
import type { Route } from './route.ts'
import { crossSiteReason } from './same-origin.ts'
import { setSecurityHeaders } from './security-headers.ts'

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])

/**
 * The door in: the route table as a server, over HTTPS when there is a certificate. It does not listen yet.
 *
 * Everything that any request has to pass stands before routing, so that a new route cannot forget it.
 */
export function createHttpServer(door: Door): Server {
  const app = createApp(door)
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
  const listener = (request: IncomingMessage, response: ServerResponse): void => enter(door, app, request, response)
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

function enter(door: Door, app: Express, request: IncomingMessage, response: ServerResponse): void {
  // What follows a request that was not well formed may have been meant as its body; it was parsed already, and is not
  // a request to anybody who sees the first one differently.
  if (isCondemned(request.socket)) return
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
    checkRequestHeaders(request, settings.limits)
    if (!methods.has(exchange.method)) throw wrongMethod('GET, HEAD, POST, PUT, PATCH, DELETE')
    exchange.path = parseRequestPath(request.url ?? '')
    if (draining.phase === 'draining') throw new Refusal('draining', undefined, { closes: true })
    // Routing sees a request of Express, whose prototypes are put on this one.
    app(request, response)
  } catch (error) {
    fail(door, exchange, error)
  }
}

function createApp(door: Door): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.disable('query parser')
  app.enable('case sensitive routing')
  app.enable('strict routing')
  mountApi(app, door)
  mountPages(app, door)
  app.use((error: unknown, request: Request, _response: Response, _next: NextFunction) => {
    fail(door, exchangeOf(request), error)
  })
  return app
}

function mountApi(app: Express, door: Door): void {
  const description = JSON.stringify(describeApi(door.routes, door.settings.version))
  app.use('/api', (request, _response, next) => {
    refuseCrossSite(door, exchangeOf(request))
    next()
  })
  app.get('/api/openapi.json', (request, response) => {
    const exchange = exchangeOf(request)
    exchange.route = '/api/openapi.json'
    if (exchange.method === 'HEAD') throw wrongMethod('GET')
    response.setHeader('content-type', 'application/json')
    response.end(description)
  })
  app.use('/api', whoAsks(door))
  app.get('/api/live', notForHead(serveLive(door)))
  for (const row of door.routes) mountRoute(app, row, serveRoute(door, row))
  for (const [path, allow] of allowedMethods(door.routes)) {
    app.all(path, () => {
      throw wrongMethod(allow)
    })
  }
  app.use('/api', () => {
    throw new Refusal('not_found')
  })
}

function mountPages(app: Express, door: Door): void {
  const auth = authHandlers(door)
  app.get('/auth/login', auth.login)
  app.get('/auth/callback', auth.callback)
  app.post('/auth/logout', (request, _response, next) => {
    refuseCrossSite(door, exchangeOf(request))
    next()
  })
  app.post('/auth/logout', auth.logout)
  app.post('/auth/backchannel-logout', auth.backchannelLogout)
  app.post('/reports', reportsHandler(door))
  for (const path of ['/auth/login', '/auth/callback']) app.all(path, () => throwWrongMethod('GET'))
  for (const path of ['/auth/logout', '/auth/backchannel-logout', '/reports'])
    app.all(path, () => throwWrongMethod('POST'))
  app.use(['/auth', '/d'], () => {
    throw new Refusal('not_found')
  })
  app.use((request) => {
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

function refuseCrossSite({ settings }: Door, { method, request }: Exchange): void {
  const reason = crossSiteReason(method, request.headers, settings.origin)
  if (reason !== undefined) throw new Refusal('cross_site', `Refused: ${reason}.`)
}

/** Finds the session, and holds each to their rate: people by session, strangers by address. */
function whoAsks({ findSession, settings: { limits }, clock }: Door): RequestHandler {
  const ofSession = new RateLimit({ perSecond: limits.requestsPerSecond, burst: limits.requestBurst, clock })
  const ofStranger = new RateLimit({ perSecond: limits.anonymousPerSecond, clock })
  return async function whoAsks(request, response, next): Promise<void> {
    const exchange = exchangeOf(request)
    const found = await findSession(request.headers.cookie)
    if (found.kind === 'found') {
      exchange.session = found.session
      ofSession.take(found.session.principal.sessionTag)
      // The page says whose it is: the cookie may be somebody else's by now, and what they are told must not appear in it.
      const person = request.headers['x-malleus-person']
      if (person !== undefined && person !== personTag(found.session.principal)) throw new Refusal('other_person')
      next()
      return
    }
    ofStranger.take(networkOf(exchange.client.ip))
    if (found.kind === 'none') throw new Refusal('not_signed_in')
    if (found.cookies !== undefined) response.setHeader('set-cookie', [...found.cookies])
    throw new Refusal('session_expired')
  }
}

function mountRoute(app: Express, { endpoint }: Route, handler: RequestHandler): void {
  const path = `/api${endpoint.path}`
  switch (endpoint.method) {
    case 'GET':
      app.get(path, notForHead(handler))
      break
    case 'POST':
      app.post(path, handler)
      break
    case 'PUT':
      app.put(path, handler)
      break
    case 'PATCH':
      app.patch(path, handler)
      break
    case 'DELETE':
      app.delete(path, handler)
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
    ['/api/openapi.json', 'GET'],
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
