import { createServer as createHttpServer } from 'node:http'
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import type { Server as TcpServer, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer as createTlsServer } from 'node:tls'
import type { Server as TlsServer, TLSSocket } from 'node:tls'
import type { KeyPair } from '../certificate-authority.ts'
import { openBlackHole } from './black-hole.ts'
import type { BlackHole } from './black-hole.ts'
import type { Clock } from './clock.ts'
import type { FaultPoints } from './faults.ts'
import type { Member } from './member.ts'
import { Wire } from './wire.ts'
import type { WireOwner } from './wire.ts'

export interface MemberServerParts {
  member: Member
  clock: Clock
  faults: FaultPoints
  certificate: KeyPair
  onRequest: (request: IncomingMessage, response: ServerResponse, wire: Wire) => void
  onUpgrade: (request: IncomingMessage, wire: Wire) => void
}

/** How much reached a member, counted from its start or from `reset`. */
export interface Traffic {
  /** TCP connections that were accepted. */
  connections: number
  /** TLS handshakes that were finished. */
  handshakes: number
  /** Plaintext bytes that arrived. */
  bytes: number
}

/**
 * The network of one member: a TCP listener, TLS 1.3 with client certificates asked for and not required, and HTTP/1.1.
 * Each stage is a separate server, so that a fault can hold a connection at exactly one of them.
 */
export class MemberServer implements WireOwner {
  readonly member: Member
  readonly clock: Clock
  readonly faults: FaultPoints
  readonly traffic: Traffic = { connections: 0, handshakes: 0, bytes: 0 }
  readonly #parts: MemberServerParts
  readonly #http: HttpServer
  readonly #tls: TlsServer
  readonly #raws = new Map<string, Socket>()
  readonly #wires = new Set<Wire>()
  #waiting: Socket[] = []
  #tcp: TcpServer | undefined
  #blackHole: BlackHole | undefined

  constructor(parts: MemberServerParts) {
    this.#parts = parts
    this.member = parts.member
    this.clock = parts.clock
    this.faults = parts.faults
    this.#http = createHttpServer({ keepAliveTimeout: 0 }, (request, response) => this.#request(request, response))
    this.#http.on('upgrade', (request: IncomingMessage, socket: Duplex) => this.#upgrade(request, socket))
    this.#http.on('clientError', (_error, socket) => socket.destroy())
    this.#tls = createTlsServer({
      cert: parts.certificate.certificate,
      key: parts.certificate.key,
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['http/1.1'],
      requestCert: true,
      rejectUnauthorized: false,
      sessionIdContext: 'stand-in',
    })
    this.#tls.on('secureConnection', (socket: TLSSocket) => this.#secured(socket))
    this.#tls.on('tlsClientError', (_error, socket) => socket.destroy())
  }

  get name(): string {
    return this.member.name
  }

  get frozen(): boolean {
    return this.member.process === 'stopped' || this.member.cutOff
  }

  get deaf(): boolean {
    return this.member.process === 'starting' && this.member.startingAnswers === 'hang'
  }

  get delayMs(): number {
    return this.member.delayMs
  }

  countBytes(bytes: number): void {
    this.traffic.bytes += bytes
  }

  /** Starts to listen; the member's port is known from then on. */
  async listen(port: number = this.member.port): Promise<void> {
    const tcp = createTcpServer((socket) => this.#accept(socket))
    await new Promise<void>((resolve, reject) => {
      tcp.once('error', reject)
      tcp.listen({ host: this.member.host, port }, () => {
        tcp.removeListener('error', reject)
        resolve()
      })
    })
    const address = tcp.address()
    if (typeof address === 'object' && address !== null) this.member.port = address.port
    this.#tcp = tcp
  }

  /** New connections are refused. */
  stopListening(): void {
    const tcp = this.#tcp
    this.#tcp = undefined
    // Its callback waits for the connections too; the port is free as soon as the call returns.
    tcp?.close()
  }

  /** New connections hang before they are connections. */
  async swallowConnections(): Promise<void> {
    this.#blackHole = await openBlackHole(this.member.host, this.member.port, () => this.stopListening())
  }

  async stopSwallowing(): Promise<void> {
    const blackHole = this.#blackHole
    this.#blackHole = undefined
    if (blackHole === undefined) return
    await blackHole.close()
    await this.listen()
  }

  /** What new connections are shown from now on. */
  present({ certificate, key }: KeyPair): void {
    this.#tls.setSecureContext({ cert: certificate, key, minVersion: 'TLSv1.3', sessionIdContext: 'stand-in' })
  }

  /** Everything that is open is reset, as when a process dies. */
  resetConnections(): void {
    for (const wire of this.#wires) wire.kill()
    for (const raw of this.#raws.values()) raw.resetAndDestroy()
    this.#waiting = []
  }

  /** The member's state changed: what was held goes on if it may. */
  wake(): void {
    if (!this.frozen) {
      for (const socket of this.#waiting.splice(0)) this.#handshake(socket)
    }
    for (const wire of this.#wires) wire.wake()
  }

  async close(): Promise<void> {
    const blackHole = this.#blackHole
    this.#blackHole = undefined
    this.stopListening()
    for (const wire of this.#wires) wire.destroy()
    for (const raw of this.#raws.values()) raw.destroy()
    await blackHole?.close()
  }

  #accept(socket: Socket): void {
    this.traffic.connections += 1
    const key = keyOf(socket)
    this.#raws.set(key, socket)
    socket.setNoDelay(true)
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#raws.delete(key)
      this.#waiting = this.#waiting.filter((other) => other !== socket)
    })
    if (this.delayMs > 0) this.clock.after(this.delayMs, () => this.#handshake(socket))
    else this.#handshake(socket)
  }

  #handshake(socket: Socket): void {
    if (socket.destroyed) return
    if (this.frozen) this.#waiting.push(socket)
    else this.#tls.emit('connection', socket)
  }

  #secured(tls: TLSSocket): void {
    const raw = this.#raws.get(keyOf(tls))
    if (raw === undefined) {
      tls.destroy()
      return
    }
    this.traffic.handshakes += 1
    const wire = new Wire(raw, tls, this)
    this.#wires.add(wire)
    wire.on('close', () => this.#wires.delete(wire))
    this.#http.emit('connection', wire)
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    const wire: unknown = request.socket
    if (!(wire instanceof Wire)) {
      response.destroy()
      return
    }
    response.on('close', () => wire.exchangeEnded())
    this.#parts.onRequest(request, response, wire)
  }

  #upgrade(request: IncomingMessage, socket: Duplex): void {
    if (!(socket instanceof Wire)) {
      socket.destroy()
      return
    }
    this.#parts.onUpgrade(request, socket)
  }
}

function keyOf(socket: Socket): string {
  return `${socket.remoteAddress}|${socket.remotePort}`
}
