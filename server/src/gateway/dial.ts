// Opens one connection to one member: TCP, the PROXY header where one is due, TLS, and the judgement of what the
// member presents. Nothing else in the console opens connections to members.
//
// Decision, 2026-11-22: sessions are never resumed. A resumed session shows no certificate and keeps the client
// certificate of the connection it came from, so resumption would let a changed pin and the separation of the two
// identities be passed by. Without it there is no session cache to clear, and every handshake is judged. It costs one
// signature per new connection, and connections are kept warm.
//
// Decision, 2026-11-22: the pin is judged inside the handshake. Node verifies after the handshake, when the client's
// certificate has already gone out. The callback for a stapled OCSP answer runs when the server's flight is complete
// and before ours is written (OpenSSL `tls_process_initial_server_flight`; Node calls it with null when nothing was
// stapled), and destroying the socket in it ends the handshake there. An authority's chain can only be judged after
// the handshake: there a wrong server has seen the console's certificate, which is public, and nothing else.

import type { X509Certificate } from 'node:crypto'
import { connect as connectTcp, isIP } from 'node:net'
import type { LookupFunction, Socket } from 'node:net'
import { checkServerIdentity, connect as connectTls, createSecureContext } from 'node:tls'
import type { SecureContext, TLSSocket } from 'node:tls'
import type { ProbePhase } from '@malleus/shared/domain/health.ts'
import type { ConsoleIdentity } from '../clusters/cluster.ts'
import type { Endpoint } from '../clusters/endpoint.ts'
import type { ChainResult, Trust, TrustAnchor, Verdict } from '../clusters/trust.ts'
import { fingerprintOf } from '../clusters/trust.ts'
import type { Clock } from '../lib/clock.ts'
import { MemberError, describeSilence, memberErrorFrom } from './member-error.ts'
import { proxyHeader } from './proxy-header.ts'

/** A member as far as reaching it needs: what to call it in errors, and where it is. */
export interface Reachable {
  readonly name: string
  readonly endpoint: Endpoint
  /** Where its name leads; absent where it may be looked up. */
  readonly addresses?: readonly string[]
}

/** What a member showed in a handshake, and what that is. */
export interface PresentedCertificate {
  readonly certificate: X509Certificate
  /** The certificates sent with it, nearest first. */
  readonly chain: readonly X509Certificate[]
  readonly verdict: Verdict
}

export interface Connection {
  readonly socket: TLSSocket
  /** Milliseconds until the member accepted, name resolution included. */
  readonly connectMs: number
  /** Milliseconds of the TLS handshake. */
  readonly tlsMs: number
  readonly presented: PresentedCertificate
}

export interface DialOptions {
  readonly connectTimeoutMs: number
  readonly tlsTimeoutMs: number
  readonly context: SecureContext
  /** Begin with a PROXY header; `clientAddress` null stands for the console itself. */
  readonly proxy: { readonly clientAddress: string | null } | null
  /** Hears of each phase that is complete, and of what was presented, also when the connection is then refused. */
  readonly progress?: DialProgress | undefined
  /** Ends it early, with a `cancelled` MemberError. */
  readonly signal?: AbortSignal | undefined
}

export interface DialProgress {
  connectMs?: number
  tlsMs?: number
  presented?: PresentedCertificate
}

/**
 * What the TLS side of a connection needs, made once and shared by many: making one costs milliseconds. The empty list
 * keeps Node from loading the public authorities, none of which is believed here.
 */
export function secureContextFor(anchor: TrustAnchor, identity: ConsoleIdentity | null): SecureContext {
  return createSecureContext({
    minVersion: 'TLSv1.3',
    ca: anchor.kind === 'ca' ? anchor.certificates : [],
    ...(identity === null ? {} : { cert: identity.certificate, key: identity.key }),
  })
}

/**
 * A connection to the member whose certificate the trust admits. Rejects with a MemberError that names the phase, and
 * then nothing but the handshake was sent. Ends by itself in both timeouts together at the latest.
 */
export function dial(member: Reachable, trust: Trust, clock: Clock, options: DialOptions): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const { host, port } = member.endpoint
    const progress = options.progress ?? {}
    let phase: ProbePhase = isIP(host) === 0 ? 'resolve' : 'connect'
    let startedAt = clock.monotonic()
    let stopWaiting = clock.after(options.connectTimeoutMs, silent)

    const tcp = connectTcp({
      host,
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 15_000,
      ...(member.addresses === undefined ? {} : { lookup: lookupIn(member.addresses) }),
    })
    let socket: TLSSocket | null = null
    let shown: X509Certificate | undefined
    options.signal?.addEventListener('abort', givenUp, { once: true })
    if (options.signal?.aborted === true) givenUp()
    tcp.once('lookup', (error) => {
      if (error === null && phase === 'resolve') phase = 'connect'
    })
    tcp.on('error', fail)
    tcp.once('close', closed)
    tcp.once('connect', () => {
      progress.connectMs = nextPhase('tls', options.tlsTimeoutMs)
      try {
        if (options.proxy !== null) tcp.write(proxyHeaderOf(tcp, options.proxy.clientAddress))
        socket = handshake(tcp)
      } catch (error) {
        fail(error)
      }
    })

    function handshake(tcp: Socket): TLSSocket {
      const { anchor } = trust
      const name = anchor.kind === 'ca' ? anchor.serverName : host
      const socket = connectTls({
        socket: tcp,
        secureContext: options.context,
        ...(isIP(name) === 0 ? { servername: name } : {}),
        checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
        // The certificate is judged below, before this socket is given to anyone who would write to it.
        // oxlint-disable-next-line malleus/verified-tls
        rejectUnauthorized: false,
        requestOCSP: anchor.kind === 'fingerprints',
      })
      socket.on('error', fail)
      socket.once('OCSPResponse', () => {
        // Node gives it once: a second call finds nothing (24.21, after this very event).
        shown = socket.getPeerX509Certificate()
        if (shown !== undefined && trust.anchor.kind === 'fingerprints') judge(socket, shown, pinned)
      })
      socket.once('secureConnect', () => {
        const certificate = shown ?? socket.getPeerX509Certificate()
        if (certificate === undefined) {
          fail(new Error('no certificate was presented'))
          return
        }
        const presented = judge(socket, certificate, chainResultOf(socket))
        if (presented === null) return
        const tlsMs = nextPhase('answer', 0)
        progress.tlsMs = tlsMs
        stopWaiting()
        options.signal?.removeEventListener('abort', givenUp)
        // Whoever owns the socket next listens for itself; until then a loss must not be an unhandled error.
        for (const each of [tcp, socket]) each.removeListener('error', fail).on('error', ignore)
        tcp.removeListener('close', closed)
        resolve({ socket, connectMs: progress.connectMs ?? 0, tlsMs, presented })
      })
      return socket
    }

    /** Ends the connection, and gives null, unless the certificate is one that is admitted. */
    function judge(socket: TLSSocket, certificate: X509Certificate, chain: ChainResult): PresentedCertificate | null {
      const verdict = trust.judge(certificate, chain, clock.now())
      const presented = { certificate, chain: chainOf(certificate), verdict }
      progress.presented = presented
      if (trust.admits(verdict)) return presented
      phase = 'certificate'
      fail(
        new MemberError({
          kind: 'wrong-certificate',
          member: member.name,
          phase,
          sent: false,
          message: describeUntrusted(member.name, certificate, verdict, chain),
        }),
      )
      socket.destroy()
      return null
    }

    function nextPhase(next: ProbePhase, timeoutMs: number): number {
      const now = clock.monotonic()
      const tookMs = now - startedAt
      stopWaiting()
      startedAt = now
      phase = next
      stopWaiting = timeoutMs > 0 ? clock.after(timeoutMs, silent) : ignore
      return tookMs
    }

    function silent(): void {
      const message = describeSilence(member.name, phase)
      fail(new MemberError({ kind: 'timed-out', member: member.name, phase, sent: false, message }))
    }

    function closed(): void {
      fail(new Error('the connection was closed'))
    }

    function givenUp(): void {
      const message = `the connection to ${member.name} is not wanted any more`
      fail(new MemberError({ kind: 'cancelled', member: member.name, phase, sent: false, message }))
    }

    function fail(error: unknown): void {
      stopWaiting()
      options.signal?.removeEventListener('abort', givenUp)
      // The rest of the error's life is a destroyed socket's: what it still reports changes nothing.
      tcp.on('error', ignore)
      socket?.on('error', ignore)
      socket?.destroy()
      tcp.destroy()
      reject(memberErrorFrom(error, { member: member.name, phase, sent: false }))
    }
  })
}

/** Answers with the addresses that are known, instead of asking anew who may answer with others. */
function lookupIn(addresses: readonly string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: isIP(address) }))
  return (hostname, { all }, callback) => {
    const [first] = found
    if (first === undefined) callback(Object.assign(new Error(`${hostname} has no address`), { code: 'ENOTFOUND' }), [])
    else if (all === true) callback(null, found)
    else callback(null, first.address, first.family)
  }
}

const pinned: ChainResult = { ok: false, code: 'a pin needs no chain' }

function chainResultOf(socket: TLSSocket): ChainResult {
  // Typed as an Error, it is the code of one (node lib/_tls_wrap.js, onConnectSecure).
  return socket.authorized ? { ok: true } : { ok: false, code: String(socket.authorizationError) }
}

function chainOf(certificate: X509Certificate): readonly X509Certificate[] {
  const chain: X509Certificate[] = []
  let issuer = certificate.issuerCertificate
  while (issuer !== undefined && chain.length < 10 && issuer.fingerprint256 !== certificate.fingerprint256) {
    chain.push(issuer)
    if (issuer.issuerCertificate?.fingerprint256 === issuer.fingerprint256) break
    issuer = issuer.issuerCertificate
  }
  return chain
}

function describeUntrusted(member: string, certificate: X509Certificate, verdict: Verdict, chain: ChainResult): string {
  const shown = `${member} presents a certificate (${fingerprintOf(certificate).slice(0, 12)}…)`
  if (verdict === 'expired') return `${shown} that has expired`
  const why = chain.ok || chain === pinned ? '' : ` (${chain.code})`
  return `${shown} that is not the cluster's${why}`
}

function proxyHeaderOf(tcp: Socket, clientAddress: string | null): string {
  const { localAddress = '', localPort = 0, remoteAddress = '', remotePort = 0 } = tcp
  return proxyHeader(
    { address: clientAddress ?? localAddress, port: localPort },
    { address: remoteAddress, port: remotePort },
  )
}

function ignore(): void {}
