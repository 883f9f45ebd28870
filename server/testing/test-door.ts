/**
 * The door in with nothing behind it: sessions by a plain cookie, the real policy, a history that remembers what it is
 * told. For tests of what the door itself does.
 */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { request as httpRequest, type IncomingHttpHeaders, type Server } from 'node:http'
import { connect } from 'node:net'
import type { Role } from '@malleus/shared/domain/role.ts'
import { limitNumbers } from '../src/config/numbers.ts'
import { networkSet } from '../src/config/address.ts'
import type { Door, DoorAuditEntry, DoorLimits, DoorSession, LiveOpening } from '../src/http/door.ts'
import { Draining } from '../src/http/draining.ts'
import { DoorMetrics } from '../src/http/metrics.ts'
import { Refusal } from '../src/http/problem.ts'
import type { Route } from '../src/http/route.ts'
import { createHttpServer } from '../src/http/server.ts'
import { Instruments } from '../src/lib/instruments.ts'
import { type Clock, systemClock } from '../src/lib/clock.ts'
import { type Logger, silentLogger } from '../src/lib/logger.ts'
import { systemRandom } from '../src/lib/random.ts'
import { createPolicy, type Grant } from '../src/policy/policy.ts'
import { isProvenLately } from '../src/session/step-up.ts'

export interface TestDoorOptions {
  readonly routes: readonly Route[]
  readonly limits?: Partial<DoorLimits>
  readonly grants?: readonly Grant[]
  readonly clusters?: readonly string[]
  readonly clock?: Clock
  readonly logger?: Logger
  readonly trustedProxies?: readonly string[]
  readonly takeDownload?: Door['takeDownload']
  readonly openLive?: (live: LiveOpening) => void
  readonly site?: Door['site']
  readonly pages?: Partial<Door['pages']>
  readonly audit?: Partial<Door['audit']>
  /** Hears of every cookie that is looked for. */
  readonly onLookup?: () => void
}

export interface Remembered {
  readonly phase: 'intent' | 'outcome' | 'record' | 'read'
  readonly entry: DoorAuditEntry
}

export const testOrigin = 'https://console.example.net'

/** One group per role; the cookie of a person is the name of their group, and `renewed` that of a session before. */
export const everyRole: readonly Grant[] = (['viewer', 'operator', 'admin', 'auditor'] as const).map((role) => ({
  role,
  groups: [role],
  clusters: 'all',
  projects: 'all',
}))

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface Ask {
  readonly method?: string
  /** Whose session: a group, or nobody. */
  readonly as?: Role | 'guest' | null
  /** They proved who they are an hour ago, and not just now. */
  readonly provenLongAgo?: boolean
  /** Beside those that make a request one of the console's own page. */
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly body?: string | Buffer
}

export interface TestDoor {
  readonly server: Server
  readonly port: number
  readonly door: Door
  readonly history: Remembered[]
  readonly ended: Set<string>
  /** What the door has counted, as Prometheus reads it. */
  readonly metrics: () => Promise<string>
  /** Asks as the console's page does. */
  readonly ask: (path: string, ask?: Ask) => Promise<Reply>
  /** Writes bytes to a connection and gives everything that comes back until it is closed. */
  readonly raw: (bytes: string | Buffer) => Promise<string>
  readonly close: () => Promise<void>
}

export async function startTestDoor(options: TestDoorOptions): Promise<TestDoor> {
  const history: Remembered[] = []
  const ended = new Set<string>()
  const instruments = new Instruments()
  const door = makeDoor(options, history, ended, instruments)
  const server = createHttpServer(door)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('a port was expected')
  const { port } = address
  return {
    server,
    port,
    door,
    history,
    ended,
    metrics: () => instruments.text(),
    ask: (path, ask) => send(port, path, ask),
    raw: (bytes) => exchangeBytes(port, bytes),
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

function makeDoor(options: TestDoorOptions, history: Remembered[], ended: Set<string>, instruments: Instruments): Door {
  const { routes, clock = systemClock, logger = silentLogger } = options
  const policy = createPolicy(options.grants ?? everyRole, options.clusters ?? ['prod-eu'])
  const remember = (phase: Remembered['phase']) => (entry: DoorAuditEntry) => {
    history.push({ phase, entry })
  }
  const refuse = () => Promise.reject(new Refusal('not_found'))
  return {
    settings: {
      origin: testOrigin,
      tls: null,
      trustedProxies: networkSet(options.trustedProxies ?? []),
      version: '0.0.0-test',
      limits: { ...defaultLimits(), ...options.limits },
    },
    routes,
    findSession: (cookieHeader) => {
      options.onLookup?.()
      const group = /(?:^|;\s*)sid=([a-z]+)/.exec(cookieHeader ?? '')?.[1]
      if (group === undefined) return Promise.resolve({ kind: 'none' })
      if (group === 'renewed') return Promise.resolve({ kind: 'ended', renewed: true })
      if (ended.has(group)) return Promise.resolve({ kind: 'ended', cookies: ['sid=; Max-Age=0'] })
      const person = { groups: [group] }
      const ageMs = cookieHeader?.includes('proven=long-ago') === true ? 3_600_000 : 0
      const authTime = Math.floor((clock.now() - ageMs) / 1000)
      return Promise.resolve({ kind: 'found', session: sessionOf(group, policy.rolesOf(person), authTime) })
    },
    policy,
    provenLately: ({ authTime }) => isProvenLately(authTime, clock.now()),
    audit: {
      intent: async (entry) => remember('intent')(entry),
      outcome: remember('outcome'),
      record: remember('record'),
      read: async (entry) => remember('read')(entry),
      readsWait: false,
      ...options.audit,
    },
    bodyTag: (body) => `tag-${body.length}`,
    idempotency: { run: (_request, work) => work() },
    pages: { login: refuse, callback: refuse, logout: refuse, backchannelLogout: refuse, ...options.pages },
    site: options.site ?? { serve: (response) => response.writeHead(200).end('page') },
    takeDownload: options.takeDownload ?? (() => undefined),
    openLive: options.openLive ?? (({ stream }) => stream.close()),
    draining: new Draining(),
    metrics: new DoorMetrics(instruments),
    clock,
    random: systemRandom,
    logger,
  }
}

function sessionOf(group: string, roles: readonly Role[], authTime: number): DoorSession {
  return {
    principal: {
      iss: 'https://idp.example.net',
      sub: group,
      name: group,
      email: null,
      groups: [group],
      roles,
      authTime,
      amr: [],
      sessionTag: `tag-of-${group}`,
    },
    scope: () => Promise.resolve({ kind: 'certificate', key: group, projects: 'all' }),
    touch: () => Promise.resolve({ idleExpiresAt: new Date(0).toISOString(), expiresAt: new Date(0).toISOString() }),
  }
}

export function defaultLimits(): DoorLimits {
  const { urlBytes, headerBytes, headerCount, jsonBytes, jsonDepth, jsonKeys, bodyIdleMs } = limitNumbers
  return {
    urlBytes: urlBytes.byDefault,
    headerBytes: headerBytes.byDefault,
    headerCount: headerCount.byDefault,
    jsonBytes: jsonBytes.byDefault,
    jsonDepth: jsonDepth.byDefault,
    jsonKeys: jsonKeys.byDefault,
    bodyIdleMs: bodyIdleMs.byDefault,
    requestsPerSecond: 100_000,
    requestBurst: 100_000,
    anonymousPerSecond: 100_000,
    signInsPerMinute: 100_000,
    reportsPerMinute: 100_000,
    readMs: limitNumbers.readMs.byDefault,
    listMs: limitNumbers.listMs.byDefault,
    mutationMs: limitNumbers.mutationMs.byDefault,
    longPollMs: limitNumbers.longPollMs.byDefault,
  }
}

function send(
  port: number,
  path: string,
  { method = 'GET', as = 'admin', provenLongAgo = false, headers = {}, body }: Ask = {},
): Promise<Reply> {
  const all: Record<string, string | undefined> = {
    'x-console-request': '1',
    'sec-fetch-site': 'same-origin',
    ...(as !== null && { cookie: `sid=${as}${provenLongAgo ? '; proven=long-ago' : ''}` }),
    ...(method !== 'GET' && { origin: testOrigin }),
    ...(method !== 'GET' && { 'content-type': 'application/json', 'idempotency-key': randomUUID() }),
    // Node announces no length for DELETE by itself.
    ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
    ...headers,
  }
  const present = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: '127.0.0.1', port, path, method, headers: present, agent: false },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString('utf8'),
          }),
        )
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

function exchangeBytes(port: number, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', (error) =>
      chunks.length > 0 ? resolve(Buffer.concat(chunks).toString('latin1')) : reject(error),
    )
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
  })
}
