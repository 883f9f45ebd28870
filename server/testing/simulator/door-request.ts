import { IncomingMessage, ServerResponse } from 'node:http'
import { BlockList, Socket } from 'node:net'
import { z } from 'zod'
import type { Door, DoorSession } from '../../src/http/door.ts'
import { Draining } from '../../src/http/draining.ts'
import { beginExchange } from '../../src/http/exchange.ts'
import { DoorMetrics } from '../../src/http/metrics.ts'
import { fail, serveRoute } from '../../src/http/pipeline.ts'
import type { Route } from '../../src/http/route.ts'
import { silentLogger } from '../../src/lib/logger.ts'
import { defaultLimits } from '../test-door.ts'
import type { SimulatedConsole } from './simulated-console.ts'

export interface Asked {
  readonly id: string
  readonly thing: string
  /** A member's name, or any. */
  readonly target?: string
  /** For a change. */
  readonly key?: string
}

/** What the browser gets; `lost` when the console went away before it had answered. */
export interface Got {
  readonly status: number
  readonly code: string | null
  readonly text: string
}

type Served = Parameters<ReturnType<typeof serveRoute>>

const Coded = z.object({ code: z.string() })
const metrics = new DoorMetrics()
const socket = new Socket()

/** Sends one request through the shipped pipeline: history, keys and handler, without a socket. */
export async function ask(
  console: SimulatedConsole,
  row: Route,
  asked: Asked,
  deadlines: { readonly readMs: number; readonly mutationMs: number },
): Promise<Got> {
  const door = doorOf(console, deadlines)
  const request = requestOf(row, asked)
  const reply = { text: '' }
  const response = Object.assign(new ServerResponse(request), {
    end: (text: string) => {
      reply.text = text
      return response
    },
  })
  const client = { ip: '192.0.2.1', via: null }
  const exchange = beginExchange({ id: asked.id, request, response, client, startedAt: console.clock.monotonic() })
  exchange.path = { raw: request.url ?? '', segments: [], query: '' }
  exchange.session = sessionOf(console)
  try {
    // Without Express around it: the request has what the pipeline takes from one, and nothing else of it is there.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    await serveRoute(door, row)(request as Served[0], response as Served[1], () => {})
  } catch (error) {
    fail(door, exchange, error)
  }
  const problem = response.statusCode < 400 ? null : Coded.safeParse(JSON.parse(reply.text))
  return { status: response.statusCode, code: problem?.data?.code ?? null, text: reply.text }
}

function requestOf(row: Route, { thing, target, key }: Asked): IncomingMessage & { readonly params: object } {
  const isChange = row.endpoint.method !== 'GET'
  const body = Buffer.from(isChange ? JSON.stringify({ to: thing }) : '')
  const request = Object.assign(new IncomingMessage(socket), {
    method: row.endpoint.method,
    url: `/api/clusters/sim/things/${thing}`,
    params: { cluster: 'sim', thing },
    complete: true,
  })
  Object.assign(request.headers, {
    'content-length': String(body.length),
    ...(isChange ? { 'content-type': 'application/json', 'idempotency-key': key } : {}),
    ...(target === undefined ? {} : { 'x-malleus-target': target }),
  })
  if (isChange) request.push(body)
  request.push(null)
  return request
}

function sessionOf(console: SimulatedConsole): DoorSession {
  return {
    principal: {
      iss: 'https://idp.example.net',
      sub: 'jo',
      name: 'Jo',
      email: null,
      groups: ['admin'],
      roles: ['admin'],
      authTime: null,
      amr: [],
      sessionTag: 'tag',
    },
    scope: () => Promise.resolve(console.scope()),
    touch: () => Promise.resolve({ idleExpiresAt: '', expiresAt: '' }),
  }
}

const nothingHere = (): Promise<never> => Promise.reject(new Error('nobody signs in here'))

function doorOf(
  { audit, idempotency, clock, chance }: SimulatedConsole,
  deadlines: { readMs: number; mutationMs: number },
): Door {
  return {
    settings: {
      origin: 'https://console.example.net',
      tls: null,
      trustedProxies: new BlockList(),
      version: '0.0.0',
      limits: { ...defaultLimits(), ...deadlines },
    },
    routes: [],
    findSession: () => Promise.resolve({ kind: 'none' }),
    policy: { may: () => ({ allow: true, rule: 'everybody' }) },
    provenLately: () => true,
    audit,
    bodyTag: (body) => `${body.length} bytes`,
    idempotency,
    pages: { login: nothingHere, callback: nothingHere, logout: nothingHere, backchannelLogout: nothingHere },
    site: { serve: () => {} },
    takeDownload: () => undefined,
    openLive: () => {},
    draining: new Draining(),
    metrics,
    clock,
    random: chance,
    logger: silentLogger,
  }
}
