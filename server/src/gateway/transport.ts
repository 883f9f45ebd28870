// The only importer of undici for members, and the only way to one: requests of people and of the console, probes and
// event streams all leave through here, each on connections that were judged before their first byte.
//
// Connections are kept apart by endpoint and by kind of authority. Those for people's tokens never have a client
// certificate: a member without working OpenID Connect would otherwise take the certificate and act as the console.
// They carry no identity, since Incus authenticates each request, so that one warm pool serves all people and a second
// attempt elsewhere needs no handshake.

import type { SecureContext, TLSSocket } from 'node:tls'
import { Client, Pool } from 'undici'
import type { buildConnector } from 'undici'
import type { ConsoleIdentity } from '../clusters/cluster.ts'
import { formatEndpoint } from '../clusters/endpoint.ts'
import type { Trust, TrustChange } from '../clusters/trust.ts'
import type { Clock } from '../lib/clock.ts'
import { Subscribable } from '../lib/subscribable.ts'
import type { Connection, DialOptions, DialProgress, PresentedCertificate, Reachable } from './dial.ts'
import { dial, secureContextFor } from './dial.ts'
import type { WireReply, WireRequest } from './exchange.ts'
import { Exchange } from './exchange.ts'
import type { LimitSettings } from './gateway-settings.ts'
import { MemberError, describeSilence, memberErrorFrom } from './member-error.ts'
import { reportProbe } from './probe-report.ts'
import type { Scope } from './scope.ts'
import type { WebSocketHandlers } from './web-socket.ts'
import { WebSocketConnection, webSocketHeaders } from './web-socket.ts'

/** What a request is made with: a scope whose token, if it has one, has been fetched. */
export type Authority =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'console' }
  | { readonly kind: 'bearer'; readonly token: string; readonly clientAddress?: string }
  | { readonly kind: 'certificate'; readonly clientAddress?: string }

/** Fetches the person's token, where the scope is a person's. */
export async function authorityOf(scope: Scope): Promise<Authority> {
  if (scope.kind !== 'bearer') return scope
  const token = await scope.accessToken()
  return scope.clientAddress === undefined
    ? { kind: 'bearer', token }
    : { kind: 'bearer', token, clientAddress: scope.clientAddress }
}

export interface TransportOptions {
  readonly trust: Trust
  /** Without one, only anonymous and bearer requests can be made. */
  readonly identity: ConsoleIdentity | null
  /** Whether every connection begins with a PROXY v1 header. */
  readonly proxyProtocol: boolean
  readonly limits: LimitSettings
  readonly clock: Clock
}

/** Incus takes some user agents for those of its own members (incus `shared/cluster/request.go`); this is none. */
const userAgent = 'malleus'

/** Incus closes idle connections after 30 s (incus `cmd/incusd/daemon.go`); ours end well before that. */
const idleMs = 20_000

export interface ProbeRequest {
  readonly member: Reachable
  readonly authority: { readonly kind: 'anonymous' } | { readonly kind: 'console' }
  /** With `/1.0`, encoded. */
  readonly path: string
  /** `warm`: on the connection that the last probe left, if it still stands. `new`: from the beginning. */
  readonly connection: 'warm' | 'new'
  readonly connectTimeoutMs: number
  readonly tlsTimeoutMs: number
  /** From when the request is written to the last byte of the answer. */
  readonly answerTimeoutMs: number
  /** Filled in while the probe is under way, for those who want to know how far it is. */
  readonly progress?: DialProgress
  readonly signal?: AbortSignal
}

/** How far a probe came and how long each phase took, in milliseconds; null for one that was not made or reached. */
export interface ProbeReport {
  readonly connectMs: number | null
  readonly tlsMs: number | null
  readonly firstByteMs: number | null
  /** What the member presented, where there was a handshake; also when that is why it failed. */
  readonly presented: PresentedCertificate | null
  readonly reply: WireReply | null
  /** Null exactly when there is a reply, of whatever status. */
  readonly failure: MemberError | null
}

export interface StreamRequest {
  readonly member: Reachable
  readonly authority: Authority
  /** With `/1.0` and query, encoded. */
  readonly path: string
  readonly openTimeoutMs: number
  readonly mostMessageBytes: number
  readonly handlers: WebSocketHandlers
  readonly signal?: AbortSignal
}

/** An open WebSocket, for whoever only waits for its end. */
export type OpenStream = Pick<WebSocketConnection, 'close' | 'closed'>

/** The answer was an ordinary one instead of the stream that was asked for. */
export interface StreamRefused {
  readonly kind: 'refused'
  readonly reply: WireReply
}

interface Lane {
  readonly pool: Pool
  readonly key: string
  readonly kind: Authority['kind']
}

interface ProbeLane {
  readonly client: Client
  readonly kind: Authority['kind']
  busy: boolean
}

/** A connection for requests that could not be made, whether or not anybody still waited for it. */
export interface ConnectionFailure {
  readonly member: string
  readonly error: MemberError
}

/** Every connection of one cluster. */
export class Transport {
  /** Tells of each connection for requests that could not be made. Probes report their own. */
  readonly connectionFailures = new Subscribable<ConnectionFailure>()
  readonly #options: TransportOptions
  readonly #lanes = new Map<string, Lane>()
  readonly #probes = new Map<string, ProbeLane>()
  /** Connections that are no request's any more: open streams. */
  readonly #streams = new Set<TLSSocket>()
  readonly #stopListening: () => void
  #identity: ConsoleIdentity | null
  #withIdentity: SecureContext | null = null
  #withoutIdentity: SecureContext | null = null
  #destroyed = false

  constructor(options: TransportOptions) {
    this.#options = options
    this.#identity = options.identity
    this.#stopListening = options.trust.subscribe((change) => this.#trustChanged(change))
  }

  /**
   * Sends a request to one member, on a warm connection if there is one. Redirects are not followed. There is no
   * deadline but those of connecting: whoever asks cancels the exchange.
   */
  request(member: Reachable, authority: Authority, request: WireRequest): Exchange {
    const exchange = new Exchange(member.name, this.#options.clock, this.#options.limits.replyBytes)
    const { method, path, body } = request
    const headers = headersOf(authority, request)
    try {
      this.#lane(member, authority).pool.dispatch(
        { method, path, headers, body: body ?? null, ...withoutTimers },
        exchange,
      )
    } catch (error) {
      exchange.fail(error)
    }
    return exchange
  }

  /** Asks one question on a connection that is used for nothing else. Never rejects. */
  probe(request: ProbeRequest): Promise<ProbeReport> {
    return reportProbe(request, this.#options.clock, {
      lane: (progress) => this.#probeLane(request, progress),
      ask: (lane) => this.#ask(lane, request),
    })
  }

  /** Opens a WebSocket on a connection of its own. Rejects with a MemberError when it cannot be opened in time. */
  async openWebSocket(request: StreamRequest): Promise<OpenStream | StreamRefused> {
    const { clock, limits } = this.#options
    const { member, authority, signal } = request
    const { connectMs, tlsMs } = limits
    const patience = { connectTimeoutMs: connectMs, tlsTimeoutMs: tlsMs, signal }
    const { socket } = await this.#dial(member, authority, patience)
    const client = clientOver(member, socket)
    const handshake = webSocketHeaders()
    const exchange = new Exchange(member.name, clock, limits.replyBytes)
    const upgraded = new Promise<WebSocketConnection>((resolve, reject) => {
      client.dispatch(
        {
          method: 'GET',
          path: request.path,
          upgrade: 'websocket',
          headers: [...commonHeaders(authority), ...handshake.headers],
          ...withoutTimers,
        },
        {
          onRequestStart: (controller) => exchange.onRequestStart(controller),
          onResponseStart: (controller, status, headers) => exchange.onResponseStart(controller, status, headers),
          onResponseData: (controller, chunk) => exchange.onResponseData(controller, chunk),
          onResponseEnd: () => exchange.onResponseEnd(),
          onResponseError: (controller, error) => exchange.onResponseError(controller, error),
          onRequestUpgrade: (_controller, _status, headers) => {
            try {
              handshake.check(headers)
              resolve(new WebSocketConnection(socket, request.handlers, request.mostMessageBytes))
            } catch (error) {
              reject(memberErrorFrom(error, { member: member.name, phase: 'answer', sent: true }))
            }
          },
        },
      )
    })
    const stopWaiting = clock.after(request.openTimeoutMs, () => exchange.fail(timedOut(member.name)))
    const giveUp = () => exchange.cancel()
    signal?.addEventListener('abort', giveUp, { once: true })
    if (signal?.aborted === true) giveUp()
    try {
      const opened = await Promise.race([upgraded, exchange.reply])
      if (!(opened instanceof WebSocketConnection)) return { kind: 'refused', reply: opened }
      this.#streams.add(socket)
      socket.once('close', () => this.#streams.delete(socket))
      return opened
    } catch (error) {
      socket.destroy()
      throw error
    } finally {
      stopWaiting()
      signal?.removeEventListener('abort', giveUp)
    }
  }

  /**
   * From now on connections are made with another client certificate; those with the one before end when they are free.
   * Streams that are open stay. Resolves when no request is under way with the one before.
   */
  async useIdentity(identity: ConsoleIdentity): Promise<void> {
    this.#identity = identity
    this.#withIdentity = null
    const lanes = [...this.#lanes.values()].filter(({ kind }) => carriesIdentity(kind))
    const probes = [...this.#probes].filter(([, { kind }]) => carriesIdentity(kind))
    for (const { key } of lanes) this.#lanes.delete(key)
    for (const [key] of probes) this.#probes.delete(key)
    await Promise.all([...lanes.map(({ pool }) => pool.close()), ...probes.map(([, { client }]) => client.close())])
  }

  /** Ends every connection at once. Nothing can be sent afterwards. */
  destroy(): void {
    this.#destroyed = true
    this.#stopListening()
    this.#endAll(new Error('the console stops'))
  }

  #ask(lane: ProbeLane, request: ProbeRequest): Promise<WireReply> {
    const { clock, limits } = this.#options
    const { member, authority, path, signal } = request
    const exchange = new Exchange(member.name, clock, limits.replyBytes)
    const stopWaiting = clock.after(request.answerTimeoutMs, () => exchange.fail(timedOut(member.name)))
    const giveUp = () => exchange.cancel()
    signal?.addEventListener('abort', giveUp, { once: true })
    if (signal?.aborted === true) giveUp()
    lane.busy = true
    lane.client.dispatch({ method: 'GET', path, headers: commonHeaders(authority), ...withoutTimers }, exchange)
    return exchange.reply.finally(() => {
      lane.busy = false
      stopWaiting()
      signal?.removeEventListener('abort', giveUp)
    })
  }

  /** The connection that the last probe left, or a new one, which then takes its place. */
  async #probeLane(request: ProbeRequest, progress: DialProgress): Promise<ProbeLane> {
    const { member, authority, connection, connectTimeoutMs, tlsTimeoutMs, signal } = request
    const key = `${formatEndpoint(member.endpoint)} ${authority.kind}`
    const warm = this.#probes.get(key)
    if (connection === 'warm' && warm !== undefined && !warm.busy) return warm
    const { socket } = await this.#dial(member, authority, { connectTimeoutMs, tlsTimeoutMs, progress, signal })
    const lane: ProbeLane = { client: clientOver(member, socket), kind: authority.kind, busy: false }
    const before = this.#probes.get(key)
    if (before !== undefined) void before.client.close()
    this.#probes.set(key, lane)
    socket.once('close', () => {
      if (this.#probes.get(key) === lane) this.#probes.delete(key)
    })
    return lane
  }

  #lane(member: Reachable, authority: Authority): Lane {
    if (this.#destroyed) throw new Error('the console stops')
    const address = this.#options.proxyProtocol && 'clientAddress' in authority ? authority.clientAddress : undefined
    const origin = formatEndpoint(member.endpoint)
    const key = [origin, member.addresses?.join() ?? '', authority.kind, address ?? ''].join(' ')
    const known = this.#lanes.get(key)
    if (known !== undefined) return known
    const pool = new Pool(`https://${origin}`, {
      connect: this.#connector(member, authority),
      connections: address === undefined ? null : this.#options.limits.connectionsPerAddress,
      pipelining: 1,
      allowH2: false,
      ...idle,
    })
    const lane: Lane = { pool, key, kind: authority.kind }
    this.#lanes.set(key, lane)
    // Lanes of members and people that are gone go with their last connection.
    const dropWhenUnused = (): void => {
      if (pool.stats.connected > 0 || pool.stats.size > 0 || this.#lanes.get(key) !== lane) return
      this.#lanes.delete(key)
      void pool.close()
    }
    pool.on('disconnect', dropWhenUnused)
    pool.on('connectionError', dropWhenUnused)
    return lane
  }

  #connector(member: Reachable, authority: Authority): buildConnector.connector {
    const { connectMs, tlsMs } = this.#options.limits
    const patience = { connectTimeoutMs: connectMs, tlsTimeoutMs: tlsMs }
    return (_options, callback) => {
      void this.#handOver(member.name, this.#dial(member, authority, patience), callback)
    }
  }

  async #handOver(member: string, connection: Promise<Connection>, callback: buildConnector.Callback): Promise<void> {
    let socket: TLSSocket
    try {
      ;({ socket } = await connection)
    } catch (thrown) {
      const error = memberErrorFrom(thrown, { member, phase: 'connect', sent: false })
      this.connectionFailures.publish({ member, error })
      callback(error, null)
      return
    }
    callback(null, socket)
  }

  #dial(
    member: Reachable,
    authority: Authority,
    patience: Omit<DialOptions, 'context' | 'proxy'>,
  ): Promise<Connection> {
    const { trust, clock, proxyProtocol } = this.#options
    const clientAddress = 'clientAddress' in authority ? (authority.clientAddress ?? null) : null
    const context = this.#contextFor(authority)
    return dial(member, trust, clock, { ...patience, context, proxy: proxyProtocol ? { clientAddress } : null })
  }

  #contextFor(authority: Authority): SecureContext {
    const { trust } = this.#options
    const identity = this.#identity
    if (authority.kind === 'anonymous' || authority.kind === 'bearer') {
      this.#withoutIdentity ??= secureContextFor(trust.anchor, null)
      return this.#withoutIdentity
    }
    if (identity === null) throw new TypeError('this cluster has no console identity to make the request with')
    this.#withIdentity ??= secureContextFor(trust.anchor, identity)
    return this.#withIdentity
  }

  /**
   * What was believed before may be refused now: then every connection ends at once, with what is under way on it. If
   * something was only added, or all servers have moved to a successor, connections end as soon as they are free, so
   * that a certificate that is being replaced interrupts nobody. Streams were judged when they were opened, and stay.
   */
  #trustChanged(change: TrustChange): void {
    this.#withIdentity = null
    this.#withoutIdentity = null
    if (change === 'narrowed') {
      this.#endAll(new Error('the certificate that was trusted is not trusted any more'))
      return
    }
    for (const { pool } of this.#lanes.values()) void pool.close()
    for (const { client } of this.#probes.values()) void client.close()
    this.#lanes.clear()
    this.#probes.clear()
  }

  #endAll(reason: Error): void {
    const lanes = [...this.#lanes.values()].map(({ pool }) => pool)
    const probes = [...this.#probes.values()].map(({ client }) => client)
    this.#lanes.clear()
    this.#probes.clear()
    for (const dispatcher of [...lanes, ...probes]) void dispatcher.destroy(reason)
    for (const socket of this.#streams) socket.destroy(reason)
  }
}

function carriesIdentity(kind: Authority['kind']): boolean {
  return kind === 'console' || kind === 'certificate'
}

/** Deadlines are of the whole request and kept by whoever asks; undici's would only add timers of their own. */
const withoutTimers = { headersTimeout: 0, bodyTimeout: 0 } as const

const idle = { keepAliveTimeout: idleMs, keepAliveMaxTimeout: idleMs } as const

/** An HTTP client over a connection that stands; it never makes another. */
function clientOver(member: Reachable, socket: TLSSocket): Client {
  let left: TLSSocket | null = socket
  return new Client(`https://${formatEndpoint(member.endpoint)}`, {
    connect: (_options, callback) => {
      const given = left
      left = null
      // Never at once: undici only goes on with its requests when it is called back later.
      queueMicrotask(() => {
        if (given === null || given.destroyed) callback(new Error('the connection was closed'), null)
        else callback(null, given)
      })
    },
    pipelining: 1,
    allowH2: false,
    ...idle,
  })
}

/** The whole list of headers that a request to a member can have, beside those that the transfer itself needs. */
function headersOf(authority: Authority, request: WireRequest): string[] {
  const headers = commonHeaders(authority)
  if (request.body !== undefined) headers.push('content-type', 'application/json')
  if (request.ifMatch !== undefined) headers.push('if-match', request.ifMatch)
  return headers
}

function commonHeaders(authority: Authority): string[] {
  const headers = ['user-agent', userAgent, 'accept', 'application/json']
  if (authority.kind === 'bearer') headers.push('authorization', `Bearer ${authority.token}`)
  return headers
}

function timedOut(member: string): MemberError {
  const message = describeSilence(member, 'answer')
  return new MemberError({ kind: 'timed-out', member, phase: 'answer', sent: true, message })
}
