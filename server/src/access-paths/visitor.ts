import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { Endpoint } from '../clusters/endpoint.ts'
import { formatEndpoint } from '../clusters/endpoint.ts'
import type { Trust } from '../clusters/trust.ts'
import { fingerprintOf } from '../clusters/trust.ts'
import type { Clock } from '../lib/clock.ts'
import type { ProbeEnd } from '../probes/probe.ts'
import { probe } from '../probes/probe.ts'
import type { ConfiguredPath, SeenCertificate, Visit } from './access-path.ts'
import { askSocket } from './ask-socket.ts'
import { hostOf } from './check-certificate.ts'
import { lookAtStranger } from './look-at-stranger.ts'
import type { PathTransport } from './path-transport.ts'
import { readName } from './read-name.ts'
import type { Resolved } from './resolve-name.ts'
import { resolveName } from './resolve-name.ts'

/** Goes the way that clients go. Neither rejects. */
export interface Visitor {
  resolve(host: string): Promise<Resolved>
  /**
   * One new connection. `onSilent` hears, at most once, that nothing came in a second, while the visit still waits as a
   * client without time-outs does; what it resolves with is its end.
   */
  visit(path: ConfiguredPath, address: string, ask: VisitAsk, onSilent: (visit: Visit) => void): Promise<Visit>
}

export interface VisitAsk {
  readonly round: number
  /** For how long it waits after the first second, in milliseconds. */
  readonly patienceMs: number
}

export interface NetworkVisitorOptions {
  readonly transport: PathTransport
  readonly trust: Trust
  readonly hasIdentity: boolean
  /** Whether servers expect a PROXY header from this console. */
  readonly proxyProtocol: boolean
  readonly clock: Clock
}

/** A second without a sign of life is what people call hanging. */
export const silentAfterMs = 1_000

export class NetworkVisitor implements Visitor {
  readonly #options: NetworkVisitorOptions

  constructor(options: NetworkVisitorOptions) {
    this.#options = options
  }

  resolve(host: string): Promise<Resolved> {
    return resolveName(host)
  }

  async visit(path: ConfiguredPath, address: string, ask: VisitAsk, onSilent: (visit: Visit) => void): Promise<Visit> {
    const { target } = path
    if (target.kind === 'socket') return this.#timed(path, address, ask, (signal) => askSocket(target.socket, signal))
    const endpoint = { host: address, port: target.endpoint.port }
    if (target.kind === 'page') return this.#page(path, target.url, endpoint, ask)
    return this.#server(path, target.endpoint, address, ask, onSilent)
  }

  async #server(
    path: ConfiguredPath,
    target: Endpoint,
    address: string,
    ask: VisitAsk,
    onSilent: (visit: Visit) => void,
  ): Promise<Visit> {
    const { transport, clock, hasIdentity, proxyProtocol } = this.#options
    const startedAt = clock.now()
    const begun = clock.monotonic()
    // A balancer adds the header itself, and would pass ours on as if it were the client's first words.
    const proxied = proxyProtocol && path.kind !== 'load-balancer'
    const ended = await probe(
      { probe: (request) => transport.probe(request, proxied) },
      clock,
      {
        kind: hasIdentity ? 'deep' : 'cold',
        member: { name: path.name, endpoint: target, addresses: [address] },
        path: '/1.0',
        connection: 'new',
        phaseTimeoutMs: silentAfterMs,
        lingerMs: silentAfterMs + ask.patienceMs,
      },
      (failure) =>
        onSilent({
          round: ask.round,
          startedAt,
          address,
          end: { kind: 'failed', ...failure, ms: clock.monotonic() - begun, pending: true },
          certificate: null,
          incusBehind: null,
        }),
    )
    const ms = clock.monotonic() - begun
    const certificate = ended.presented === null ? null : this.#certificateOf(path, ended.presented.certificate, ended)
    const visit = { round: ask.round, startedAt, address, certificate }
    const end = this.#endOf(ended, ms)
    if (certificate?.isCluster !== false) return { ...visit, end, incusBehind: null }
    const asked = clock.monotonic()
    const incusBehind = await this.#isIncus(path, address, target.port)
    // Behind a balancer that ends TLS, people with tokens do get their answer.
    return incusBehind && path.kind === 'load-balancer'
      ? {
          ...visit,
          end: { kind: 'answered', server: null, recognised: false, ms: clock.monotonic() - asked },
          incusBehind,
        }
      : { ...visit, end, incusBehind }
  }

  #endOf({ failure, reply, record, answerMs }: ProbeEnd, ms: number): Visit['end'] {
    if (failure !== null || reply === null) {
      const { how, phase, message } = failure ?? { how: 'closed', phase: 'answer', message: 'There was no answer.' }
      return { kind: 'failed', how, phase, message, ms, pending: false }
    }
    const { server, trusted } = readName(reply.body)
    const firstByteMs = (record.connectMs ?? 0) + (record.tlsMs ?? 0) + (answerMs ?? 0)
    return { kind: 'answered', server, recognised: this.#options.hasIdentity ? trusted : null, ms: firstByteMs }
  }

  #certificateOf(path: ConfiguredPath, certificate: X509Certificate, { failure }: ProbeEnd): SeenCertificate {
    return seenCertificate(certificate, hostOf(path), failure?.how !== 'wrong-certificate')
  }

  async #isIncus(path: ConfiguredPath, address: string, port: number): Promise<boolean> {
    const endpoint = { host: address, port }
    const signal = AbortSignal.timeout(2 * silentAfterMs)
    const found = await lookAtStranger({ host: hostOf(path), endpoint, path: '/1.0', secure: true, signal }).catch(
      () => null,
    )
    return found?.isIncus ?? false
  }

  #page(path: ConfiguredPath, url: string, endpoint: Endpoint, ask: VisitAsk): Promise<Visit> {
    const { host, protocol } = new URL(url)
    return this.#timed(path, endpoint.host, ask, async (signal, seen) => {
      const secure = protocol === 'https:'
      const { status, certificate } = await lookAtStranger({ host, endpoint, path: '/', secure, signal })
      if (certificate !== null) seen(seenCertificate(certificate, hostOf(path), true))
      if (status >= 500) throw new Error(`It answers with status ${status}.`)
      return null
    })
  }

  /** A visit that only answers or does not. */
  async #timed(
    path: ConfiguredPath,
    address: string,
    { round }: VisitAsk,
    ask: (signal: AbortSignal, seen: (certificate: SeenCertificate) => void) => Promise<string | null>,
  ): Promise<Visit> {
    const { clock } = this.#options
    const [startedAt, begun] = [clock.now(), clock.monotonic()]
    const found: { certificate: SeenCertificate | null } = { certificate: null }
    const at = { round, startedAt, address, incusBehind: null }
    const given = new AbortController()
    const cancel = clock.after(2 * silentAfterMs, () => given.abort())
    try {
      const server = await ask(given.signal, (certificate) => (found.certificate = certificate))
      const ms = clock.monotonic() - begun
      return { ...at, end: { kind: 'answered', server, recognised: null, ms }, certificate: found.certificate }
    } catch (error) {
      const end = failedBy(error, path, given.signal.aborted, clock.monotonic() - begun)
      return { ...at, end, certificate: found.certificate }
    } finally {
      cancel()
    }
  }
}

function failedBy(error: unknown, { target }: ConfiguredPath, isSilent: boolean, ms: number): Visit['end'] {
  const where = target.kind === 'socket' ? target.socket : formatEndpoint(target.endpoint)
  if (isSilent) {
    const message = `No answer within ${(2 * silentAfterMs) / 1_000} s.`
    return { kind: 'failed', how: 'silent', phase: 'answer', message, ms, pending: false }
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const how = code === 'ECONNREFUSED' || code === 'ENOENT' ? 'refused' : 'closed'
  const why = code === 'ENOENT' ? 'there is no such socket' : code === 'EACCES' ? 'this console may not open it' : null
  const message = why === null ? (error instanceof Error ? error.message : String(error)) : `${where}: ${why}.`
  return { kind: 'failed', how, phase: 'connect', message, ms, pending: false }
}

function seenCertificate(certificate: X509Certificate, host: string, isCluster: boolean): SeenCertificate {
  const covered = isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)
  return {
    isCluster,
    fingerprint: fingerprintOf(certificate),
    names: (certificate.subjectAltName ?? '').split(', ').flatMap((entry) => {
      const [, name = ''] = /^(?:DNS|IP Address):(.+)$/.exec(entry) ?? []
      return name === '' ? [] : [name]
    }),
    covers: covered !== undefined,
    expiresAt: certificate.validToDate.getTime(),
  }
}
