import { request } from 'node:http'
import type { SecureContext, TLSSocket } from 'node:tls'
import type { ConsoleIdentity } from '../clusters/cluster.ts'
import { formatEndpoint } from '../clusters/endpoint.ts'
import type { Trust } from '../clusters/trust.ts'
import { dial, secureContextFor } from '../gateway/dial.ts'
import type { WireReply } from '../gateway/exchange.ts'
import { reportProbe } from '../gateway/probe-report.ts'
import type { ProbeReport, ProbeRequest } from '../gateway/transport.ts'
import type { Clock } from '../lib/clock.ts'

export interface PathTransportOptions {
  readonly trust: Trust
  readonly identity: ConsoleIdentity | null
  readonly clock: Clock
}

/** The answer to `GET /1.0` is some kilobytes long. */
const mostBytes = 1024 * 1024

/**
 * Connections that clients of a path would make: each is new, carries one question, and is ended. The console's own
 * certificate goes out only to who presented that of the cluster.
 */
export class PathTransport {
  readonly #options: PathTransportOptions
  readonly #end: () => void
  readonly #open = new Set<TLSSocket>()
  #withIdentity: { readonly identity: ConsoleIdentity; readonly context: SecureContext } | null = null
  #withoutIdentity: SecureContext | null = null

  constructor(options: PathTransportOptions) {
    this.#options = options
    this.#end = options.trust.subscribe(() => {
      this.#withIdentity = null
      this.#withoutIdentity = null
    })
  }

  /** Asks, with a PROXY header before it where `proxied`. Never rejects. */
  probe(probed: ProbeRequest, proxied: boolean): Promise<ProbeReport> {
    const { trust, clock } = this.#options
    const { member, connectTimeoutMs, tlsTimeoutMs, signal } = probed
    return reportProbe(probed, clock, {
      lane: async (progress) => {
        const context = this.#contextFor(probed.authority.kind)
        const proxy = proxied ? { clientAddress: null } : null
        const patience = { connectTimeoutMs, tlsTimeoutMs, progress, signal }
        const { socket } = await dial(member, trust, clock, { ...patience, context, proxy })
        return socket
      },
      ask: (socket) => this.#ask(socket, probed),
    })
  }

  /** Ends every connection. */
  destroy(): void {
    this.#end()
    for (const socket of this.#open) socket.destroy()
  }

  #ask(socket: TLSSocket, { member, path, answerTimeoutMs, signal }: ProbeRequest): Promise<WireReply> {
    const { clock } = this.#options
    this.#open.add(socket)
    const asked = new Promise<WireReply>((resolve, reject) => {
      const stopWaiting = clock.after(answerTimeoutMs, () => socket.destroy(new Error('no answer came in time')))
      signal?.addEventListener('abort', () => socket.destroy(), { once: true })
      socket.once('close', () => {
        stopWaiting()
        reject(new Error('the connection was closed'))
      })
      const asking = request({
        createConnection: () => socket,
        path,
        headers: { host: formatEndpoint(member.endpoint), 'user-agent': 'malleus', accept: 'application/json' },
      })
      asking.once('error', reject)
      asking.once('response', (response) => {
        const answeredAt = clock.monotonic()
        const chunks: Buffer[] = []
        let length = 0
        response.on('data', (chunk: Buffer) => {
          length += chunk.length
          if (length > mostBytes) socket.destroy(new Error('the answer is too long'))
          else chunks.push(chunk)
        })
        response.once('error', reject)
        response.once('end', () => {
          stopWaiting()
          const { statusCode = 0, headers } = response
          resolve({ status: statusCode, headers, body: Buffer.concat(chunks), answeredAt })
        })
      })
      asking.end()
    })
    return asked.finally(() => {
      this.#open.delete(socket)
      socket.destroy()
    })
  }

  #contextFor(kind: ProbeRequest['authority']['kind']): SecureContext {
    const { trust, identity } = this.#options
    if (kind === 'anonymous' || identity === null) {
      this.#withoutIdentity ??= secureContextFor(trust.anchor, null)
      return this.#withoutIdentity
    }
    // It may have been rotated since.
    if (this.#withIdentity?.identity !== identity) {
      this.#withIdentity = { identity, context: secureContextFor(trust.anchor, identity) }
    }
    return this.#withIdentity.context
  }
}
