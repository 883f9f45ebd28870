import { formatEndpoint } from '../../src/clusters/endpoint.ts'
import type { Trust } from '../../src/clusters/trust.ts'
import type { DialProgress, Reachable } from '../../src/gateway/dial.ts'
import type { WireReply, WireRequest } from '../../src/gateway/exchange.ts'
import { Exchange } from '../../src/gateway/exchange.ts'
import type { LimitSettings } from '../../src/gateway/gateway-settings.ts'
import { memberErrorFrom } from '../../src/gateway/member-error.ts'
import { reportProbe } from '../../src/gateway/probe-report.ts'
import type {
  Authority,
  ConnectionFailure,
  OpenStream,
  ProbeReport,
  ProbeRequest,
  StreamRefused,
  StreamRequest,
  Transport,
} from '../../src/gateway/transport.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { Subscribable } from '../../src/lib/subscribable.ts'
import type { Chance } from './chance.ts'
import type { Connection } from './connection.ts'
import type { Mischief } from './mischief.ts'
import { cutShort, socketError } from './network-failure.ts'
import type { Patience } from './simulated-dial.ts'
import { dial } from './simulated-dial.ts'
import type { Said, SimulatedCluster } from './simulated-cluster.ts'
import { failure } from './simulated-cluster.ts'
import type { SimulatedMember } from './simulated-member.ts'
import type { Trace } from './trace.ts'
import type { UpstreamLedger } from './upstream-ledger.ts'

export interface SimulatedTransportOptions {
  readonly cluster: SimulatedCluster
  readonly trust: Trust
  readonly limits: LimitSettings
  readonly mischief: Mischief
  readonly clock: Clock
  readonly chance: Chance
  readonly trace: Trace
  readonly upstream: UpstreamLedger
}

/**
 * The way to the members without sockets: connections that are dialled, judged, kept and used as the real transport
 * does, and the shipped `Exchange` on each of them.
 */
export class SimulatedTransport implements Pick<
  Transport,
  'request' | 'probe' | 'openWebSocket' | 'connectionFailures'
> {
  readonly connectionFailures = new Subscribable<ConnectionFailure>()
  readonly #options: SimulatedTransportOptions
  readonly #idle = new Map<string, Connection[]>()
  readonly #warmProbes = new Map<string, { readonly connection: Connection; busy: boolean }>()
  readonly #open = new Set<Connection>()
  #connections = 0

  constructor(options: SimulatedTransportOptions) {
    this.#options = options
  }

  request(reachable: Reachable, authority: Authority, wire: WireRequest): Exchange {
    const { limits, clock, trace, upstream } = this.#options
    const exchange = new Exchange(reachable.name, clock, limits.replyBytes)
    const member = this.#memberAt(reachable)
    const key = `${member.name} ${authority.kind}`
    trace.note(`${member.name} <- ${wire.method} ${wire.path}`)
    upstream.asked(member.name, wire, exchange)
    const warm = this.#takeIdle(key)
    if (warm !== null) {
      // As undici does: never in the same turn as the call.
      queueMicrotask(() => this.#carry(warm, exchange, wire, authority, key))
      return exchange
    }
    const { connectMs, tlsMs } = limits
    this.#dial(member, { connectTimeoutMs: connectMs, tlsTimeoutMs: tlsMs }).then(
      (connection) => this.#carry(connection, exchange, wire, authority, key),
      (thrown: unknown) => {
        const error = memberErrorFrom(thrown, { member: member.name, phase: 'connect', sent: false })
        this.connectionFailures.publish({ member: member.name, error })
        exchange.fail(error)
      },
    )
    return exchange
  }

  probe(request: ProbeRequest): Promise<ProbeReport> {
    return reportProbe(request, this.#options.clock, {
      lane: (progress) => this.#probeLane(request, progress),
      ask: (lane) => this.#askProbe(lane, request),
    })
  }

  async openWebSocket(request: StreamRequest): Promise<OpenStream | StreamRefused> {
    const { clock, limits, trace } = this.#options
    const { handlers, signal } = request
    const member = this.#memberAt(request.member)
    const { connectMs, tlsMs } = limits
    const connection = await this.#dial(member, { connectTimeoutMs: connectMs, tlsTimeoutMs: tlsMs, signal })
    let ended: (end: { reason: string }) => void = () => {}
    const closed = new Promise<{ readonly reason: string }>((resolve) => (ended = resolve))
    return new Promise((resolve, reject) => {
      const fail = (kind: 'timed-out' | 'reset' | 'cancelled'): void => {
        stopWaiting()
        signal?.removeEventListener('abort', giveUp)
        connection.close()
        reject(cutShort(kind, member.name, 'answer'))
      }
      const stopWaiting = clock.after(request.openTimeoutMs, () => fail('timed-out'))
      const giveUp = (): void => fail('cancelled')
      signal?.addEventListener('abort', giveUp, { once: true })
      connection.onLost = () => fail('reset')
      connection.up.send(() => {
        if (member.process === 'starting') return
        if (request.authority.kind === 'bearer' && member.refusesTokens) {
          connection.down.send(() => {
            stopWaiting()
            connection.close()
            resolve({ kind: 'refused', reply: replyOf(failure(401, 'not authorized'), clock.monotonic()) })
          })
          return
        }
        member.later(0.5, () => {
          // From here on the member tells it everything; the console knows when it has heard so.
          member.subscriptions.set(connection, handlers)
          connection.down.send(() => {
            stopWaiting()
            signal?.removeEventListener('abort', giveUp)
            trace.note(`${member.name} stream opened`)
            connection.onLost = () => ended({ reason: 'the connection was lost' })
            const close = (): void => {
              connection.close()
              ended({ reason: 'it was closed here' })
            }
            resolve({ closed, close })
          })
        })
      })
    })
  }

  /** The console has been killed: its kernel ends every connection. */
  die(): void {
    for (const connection of this.#open) connection.close()
  }

  get connections(): number {
    return this.#open.size
  }

  #memberAt({ endpoint }: Reachable): SimulatedMember {
    const origin = formatEndpoint(endpoint)
    const member = this.#options.cluster.members.find((other) => formatEndpoint(other.endpoint) === origin)
    if (member === undefined) throw new RangeError(`nothing is at ${origin}`)
    return member
  }

  #takeIdle(key: string): Connection | null {
    const idle = this.#idle.get(key) ?? []
    for (let connection = idle.pop(); connection !== undefined; connection = idle.pop()) {
      if (connection.isOpen) return connection
    }
    return null
  }

  #release(connection: Connection, key: string): void {
    connection.onLost = null
    const idle = this.#idle.get(key)
    if (idle === undefined) this.#idle.set(key, [connection])
    else idle.push(connection)
  }

  /** Writes the request, and brings back what the member says: what undici does with a connection. */
  #carry(connection: Connection, exchange: Exchange, wire: WireRequest, authority: Authority, key: string): void {
    const { mischief, cluster, clock, trace } = this.#options
    const member = cluster.get(connection.member)
    const fate = mischief.fateOf(wire)
    const controller = { abort: () => connection.close() }
    if (!connection.isOpen || fate === 'lost-before') {
      connection.close()
      exchange.onResponseError(controller, socketError('ECONNRESET'))
      return
    }
    try {
      exchange.onRequestStart(controller)
    } catch {
      // It was given up meanwhile: the connection serves the next one.
      this.#release(connection, key)
      return
    }
    if (fate !== 'none') trace.note(`${wire.path} suffers ${fate}`)
    connection.onLost = (code) => {
      // A client that has lost its connection may believe that it may begin again; the exchange must not let it.
      if (fate === 'begun-again') this.#beginAgain(exchange, wire, authority, member)
      exchange.onResponseError(controller, socketError(code))
    }
    if (fate === 'lost-on-the-way') {
      connection.up.cut = true
      clock.after(member.delayMs(), () => connection.reset())
      return
    }
    const bearer = authority.kind === 'bearer'
    connection.up.send(() => {
      cluster.ask(member, { ...wire, bearer }, (said) => this.#bringBack(connection, exchange, said, fate, key))
    })
  }

  #bringBack(
    connection: Connection,
    exchange: Exchange,
    said: Said,
    fate: ReturnType<Mischief['fateOf']>,
    key: string,
  ) {
    const { clock, mischief } = this.#options
    if (fate === 'no-answer') return
    if (fate === 'lost-after' || fate === 'begun-again') {
      connection.reset()
      return
    }
    const told = mischief.distort(said, fate)
    const controller = { abort: () => connection.close() }
    connection.down.send(() => {
      exchange.onResponseStart(controller, told.status, told.headers)
      if (fate === 'lost-within') {
        connection.reset()
        return
      }
      exchange.onResponseData(controller, told.body)
      exchange.onResponseEnd()
      this.#options.trace.note(`${connection.member} -> ${told.status} at ${clock.monotonic().toFixed(1)}`)
      this.#release(connection, key)
    })
  }

  #beginAgain(exchange: Exchange, wire: WireRequest, authority: Authority, member: SimulatedMember): void {
    try {
      exchange.onRequestStart({ abort: () => {} })
    } catch {
      return
    }
    this.#options.cluster.ask(member, { ...wire, bearer: authority.kind === 'bearer' }, () => {})
  }

  async #probeLane(request: ProbeRequest, progress: DialProgress) {
    const { authority, connection: wanted, connectTimeoutMs, tlsTimeoutMs, signal } = request
    const member = this.#memberAt(request.member)
    const key = `${member.name} ${authority.kind}`
    const warm = this.#warmProbes.get(key)
    if (wanted === 'warm' && warm !== undefined && !warm.busy && warm.connection.isOpen) return warm
    const connection = await this.#dial(member, { connectTimeoutMs, tlsTimeoutMs, progress, signal })
    const lane = { connection, busy: false }
    const before = this.#warmProbes.get(key)
    if (before?.busy === false) before.connection.close()
    this.#warmProbes.set(key, lane)
    connection.whenClosed(() => {
      if (this.#warmProbes.get(key) === lane) this.#warmProbes.delete(key)
    })
    return lane
  }

  #askProbe(lane: { readonly connection: Connection; busy: boolean }, request: ProbeRequest): Promise<WireReply> {
    const { cluster, clock, limits } = this.#options
    const { path, signal } = request
    const { connection } = lane
    const member = this.#memberAt(request.member)
    const exchange = new Exchange(request.member.name, clock, limits.replyBytes)
    const controller = { abort: () => connection.close() }
    const stopWaiting = clock.after(request.answerTimeoutMs, () =>
      exchange.fail(cutShort('timed-out', member.name, 'answer')),
    )
    const giveUp = (): void => exchange.cancel()
    signal?.addEventListener('abort', giveUp, { once: true })
    if (signal?.aborted === true) giveUp()
    lane.busy = true
    if (!connection.isOpen) exchange.fail(socketError('ECONNRESET'))
    if (!exchange.settled) {
      exchange.onRequestStart(controller)
      connection.onLost = (code) => exchange.onResponseError(controller, socketError(code))
      connection.up.send(() => {
        cluster.ask(member, { method: 'GET', path, bearer: false }, (said) => {
          connection.down.send(() => {
            exchange.onResponseStart(controller, said.status, said.headers)
            exchange.onResponseData(controller, said.body)
            exchange.onResponseEnd()
          })
        })
      })
    }
    return exchange.reply.finally(() => {
      lane.busy = false
      connection.onLost = null
      stopWaiting()
      signal?.removeEventListener('abort', giveUp)
    })
  }

  #dial(member: SimulatedMember, patience: Patience): Promise<Connection> {
    const connection = member.connection((this.#connections += 1))
    this.#open.add(connection)
    connection.whenClosed(() => this.#open.delete(connection))
    return dial(connection, member, this.#options, patience)
  }
}

function replyOf(said: Said, answeredAt: number): WireReply {
  return { ...said, answeredAt }
}
