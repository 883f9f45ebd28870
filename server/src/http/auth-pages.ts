import type { RequestHandler } from 'express'
import { networkOf } from '../lib/network-of.ts'
import type { Door } from './door.ts'
import { type Exchange, exchangeOf } from './exchange.ts'
import { Refusal } from './problem.ts'
import { RateLimit } from './rate-limit.ts'
import { mediaType, readBody } from './read-body.ts'

/** The pages of signing in and out as values; sessions decide, the door only speaks HTTP. */
export interface AuthPages {
  /** `GET /auth/login`: sends the browser to the provider. */
  login(request: PageRequest): Promise<PageReply>
  /** `GET /auth/callback`: where the provider sends it back. */
  callback(request: PageRequest): Promise<PageReply>
  /** `POST /auth/logout`: ends the session here, and says where it ends at the provider. */
  logout(request: PageRequest): Promise<PageReply>
  /** `POST /auth/backchannel-logout`: the provider says that a session has ended. */
  backchannelLogout(request: PageRequest & { readonly logoutToken: string }): Promise<PageReply>
}

export interface PageRequest {
  readonly requestId: string
  /** What follows the question mark. */
  readonly query: string
  readonly cookieHeader: string | undefined
  readonly clientAddress: string
  /** The trusted proxy that the request came through. */
  readonly via: string | null
  readonly userAgent?: string | null
}

export interface PageReply {
  readonly status: number
  readonly location?: string
  /** Whole `Set-Cookie` values. */
  readonly cookies?: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body?: unknown
}

const FORM_BYTES = 16_384

export interface AuthHandlers {
  readonly login: RequestHandler
  readonly callback: RequestHandler
  readonly logout: RequestHandler
  readonly backchannelLogout: RequestHandler
}

/** The handlers to mount. The cross-site check of logout comes before them, as for the API. */
export function authHandlers(door: Door): AuthHandlers {
  const { pages, clock, settings } = door
  const signIns = new RateLimit({
    perSecond: settings.limits.signInsPerMinute / 60,
    burst: settings.limits.signInsPerMinute,
    clock,
  })
  // Its cookie is looked for in the database, whoever sends it.
  const signOuts = new RateLimit({ perSecond: settings.limits.anonymousPerSecond, clock })
  const bodies = { mostBytes: FORM_BYTES, idleMs: settings.limits.bodyIdleMs, clock }
  return {
    login: async (request) => {
      const exchange = enter(request, '/auth/login')
      exchange.action = 'session.sign-in'
      signIns.take(networkOf(exchange.client.ip))
      send(exchange, await pages.login(pageRequest(exchange)))
    },
    callback: async (request) => {
      const exchange = enter(request, '/auth/callback')
      exchange.action = 'session.sign-in'
      send(exchange, await pages.callback(pageRequest(exchange)))
    },
    logout: async (request) => {
      const exchange = enter(request, '/auth/logout')
      exchange.action = 'session.sign-out'
      signOuts.take(networkOf(exchange.client.ip))
      if (mediaType(request) !== 'application/json') throw new Refusal('unsupported_media_type')
      await readBody(request, bodies)
      send(exchange, await pages.logout(pageRequest(exchange)))
    },
    backchannelLogout: async (request) => {
      const exchange = enter(request, '/auth/backchannel-logout')
      exchange.action = 'session.end'
      if (mediaType(request) !== 'application/x-www-form-urlencoded') throw new Refusal('unsupported_media_type')
      const form = new URLSearchParams((await readBody(request, bodies)).toString('utf8'))
      const tokens = form.getAll('logout_token')
      const [logoutToken] = tokens
      if (logoutToken === undefined || tokens.length > 1) {
        throw new Refusal('bad_body', 'One logout_token is expected.')
      }
      send(exchange, await pages.backchannelLogout({ ...pageRequest(exchange), logoutToken }))
    },
  }
}

function enter(request: Parameters<RequestHandler>[0], route: string): Exchange {
  const exchange = exchangeOf(request)
  exchange.route = route
  return exchange
}

function pageRequest({ id, path, request, client }: Exchange): PageRequest {
  return {
    requestId: id,
    query: path.query,
    cookieHeader: request.headers.cookie,
    clientAddress: client.ip,
    via: client.via,
    userAgent: request.headers['user-agent']?.slice(0, 512) ?? null,
  }
}

function send({ response }: Exchange, { status, location, cookies = [], headers = {}, body }: PageReply): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  if (location !== undefined) response.setHeader('location', location)
  if (cookies.length > 0) response.setHeader('set-cookie', [...cookies])
  if (body === undefined) {
    response.writeHead(status)
    response.end()
    return
  }
  response.setHeader('content-type', status >= 400 ? 'application/problem+json' : 'application/json')
  response.writeHead(status)
  response.end(JSON.stringify(body))
}
