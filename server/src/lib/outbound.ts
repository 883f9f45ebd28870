import type { X509Certificate } from 'node:crypto'
import { TLSSocket } from 'node:tls'
import { Agent, buildConnector, request } from 'undici'

/** The part of `fetch` that libraries need of a connection to somebody who is not a member. */
export type OutboundFetch = (url: string, options?: OutboundRequest) => Promise<Response>

export interface OutboundRequest {
  readonly method?: string
  readonly headers?: Headers | Readonly<Record<string, string>>
  readonly body?: unknown
  readonly signal?: AbortSignal
}

export interface OutboundOptions {
  /** PEM of the authorities that vouch for the other side; by default those of the system. */
  readonly ca?: string | undefined
  /** For the connection and its TLS handshake. Default 3 s. */
  readonly connectMs?: number
  /** For the whole exchange. Default 10 s. */
  readonly deadlineMs?: number
  /** The largest answer that is read. Default 1 MiB. */
  readonly mostBytes?: number
  /** Hears of the certificate of the other side with each connection, and of those that vouch for it as it sent them. */
  readonly onCertificates?: (host: string, chain: readonly X509Certificate[]) => void
}

/**
 * HTTP to the identity provider and others beside the cluster: within a deadline, never following a redirect, never
 * reading without end, and without encryption only to this machine itself.
 *
 * Each request has a connection of its own. On one that was kept open, a request can meet the other side closing it, and
 * then nobody knows whether it was carried out; here a failure to connect means that it was not.
 */
export function outboundFetch(options: OutboundOptions = {}): { fetch: OutboundFetch; close(): Promise<void> } {
  const { ca, connectMs = 3000, deadlineMs = 10_000, mostBytes = 1_048_576, onCertificates } = options
  // A resumed session shows no certificate, and Node does not look at whose it was either.
  const connector = buildConnector({
    timeout: connectMs,
    maxCachedSessions: 0,
    ...(ca === undefined ? {} : { ca }),
  })
  const agent = new Agent({
    pipelining: 0,
    connect: (to, callback) =>
      connector(to, (...made) => {
        if (made[1] instanceof TLSSocket) onCertificates?.(to.hostname, chainOf(made[1]))
        callback(...made)
      }),
    headersTimeout: deadlineMs,
    bodyTimeout: deadlineMs,
  })
  const fetch: OutboundFetch = async (url, { method = 'GET', headers, body, signal } = {}) => {
    refuseInTheClear(new URL(url))
    const deadline = AbortSignal.timeout(deadlineMs)
    const reply = await request(url, {
      dispatcher: agent,
      method,
      headers: Object.fromEntries(new Headers(headers)),
      body: bodyOf(body),
      signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
    })
    const chunks: Uint8Array[] = []
    let length = 0
    for await (const chunk of reply.body) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError('a body is bytes')
      length += chunk.length
      if (length > mostBytes) {
        reply.body.destroy()
        throw new TypeError(`${new URL(url).host} answered with more than ${mostBytes} bytes`)
      }
      chunks.push(chunk)
    }
    return new Response(mayHaveBody(reply.statusCode) ? Buffer.concat(chunks) : null, {
      status: reply.statusCode,
      headers: headersOf(reply.headers),
    })
  }
  return { fetch, close: () => agent.destroy() }
}

/** The certificate first; without the authority, which nobody has to send. */
function chainOf(socket: TLSSocket): readonly X509Certificate[] {
  const chain: X509Certificate[] = []
  let certificate = socket.getPeerX509Certificate()
  while (certificate !== undefined && chain.length < mostChained) {
    chain.push(certificate)
    const issuer = certificate.issuerCertificate
    certificate = issuer?.fingerprint256 === certificate.fingerprint256 ? undefined : issuer
  }
  return chain
}

const mostChained = 8

/** Whether a failed request certainly never reached the other side: there was no connection to send it on. */
export function wasNeverSent(error: unknown): boolean {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 10; cause = cause.cause, depth += 1) {
    if (cause instanceof SentInTheClear) return true
    if ('code' in cause && typeof cause.code === 'string' && neverConnected.test(cause.code)) return true
    if (cause instanceof AggregateError && cause.errors.length > 0 && cause.errors.every(wasNeverSent)) return true
  }
  return false
}

/** Whether the host is this machine itself, as it stands in a URL. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}

class SentInTheClear extends Error {
  override readonly name = 'SentInTheClear'
}

/** Errors of name resolution, of connecting, and of a certificate that is not believed. */
const neverConnected =
  /^(ECONNREFUSED|ENOTFOUND|EAI_\w+|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|UND_ERR_CONNECT_TIMEOUT|ERR_TLS_\w+|CERT_\w+|DEPTH_ZERO_\w+|SELF_SIGNED_\w+|UNABLE_TO_\w+)$/

function refuseInTheClear({ protocol, hostname, host }: URL): void {
  if (protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))) return
  throw new SentInTheClear(`${host} is only reached over https`)
}

function bodyOf(body: unknown): string | Uint8Array | null {
  if (body === undefined || body === null) return null
  if (typeof body === 'string' || body instanceof Uint8Array) return body
  if (body instanceof URLSearchParams) return body.toString()
  throw new TypeError('a body that is sent is text, bytes or a form')
}

/** Responses to these have no body, and the constructor refuses one (Fetch standard, null body status). */
function mayHaveBody(status: number): boolean {
  return status !== 204 && status !== 205 && status !== 304
}

function headersOf(raw: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(raw)) {
    for (const one of typeof value === 'string' ? [value] : (value ?? [])) headers.append(name, one)
  }
  return headers
}
