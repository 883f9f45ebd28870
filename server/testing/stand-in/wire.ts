import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { Clock } from './clock.ts'
import { Exchange } from './exchange.ts'
import type { ArmedFault, FaultPoints } from './faults.ts'

/** What a connection has to know of the member it belongs to, at every moment. */
export interface WireOwner {
  readonly name: string
  readonly clock: Clock
  readonly faults: FaultPoints
  /** Nothing goes in or out. */
  readonly frozen: boolean
  /** Nothing goes in; what is on its way out goes on. */
  readonly deaf: boolean
  /** Every piece of an answer waits this long. */
  readonly delayMs: number
  /** Plaintext bytes that arrived. */
  countBytes(bytes: number): void
}

/** Incus closes a connection that has been idle for this long. */
const IDLE_MS = 30_000

/**
 * The plaintext of one TLS connection, between the socket and the HTTP parser: the place where a member can be frozen,
 * slowed down, or broken at an exact byte. When the other side leaves, a request that arrived whole is still carried out,
 * as a server process would.
 */
export class Wire extends Duplex {
  /** SHA-256 of the client's certificate in hex, or null. */
  readonly peerFingerprint: string | null
  /** PEM of the client's certificate, or null. */
  readonly peerCertificate: string | null
  readonly peerAddress: string
  readonly peerPort: number
  /** Aborted when the other side has left or the member has died. */
  readonly left: AbortSignal
  readonly #leave = new AbortController()
  readonly #raw: Socket
  readonly #tls: TLSSocket
  readonly #owner: WireOwner
  readonly #inbox: Buffer[] = []
  #held: (() => void)[] = []
  #exchange: Exchange | undefined
  #upgraded = false
  #stalled = false
  #deafToOutput = false
  #fault: ArmedFault | undefined
  #cancelIdle: () => void = () => undefined

  constructor(raw: Socket, tls: TLSSocket, owner: WireOwner) {
    super({ allowHalfOpen: true })
    this.#raw = raw
    this.#tls = tls
    this.#owner = owner
    this.left = this.#leave.signal
    const certificate = tls.getPeerX509Certificate()
    this.peerFingerprint = certificate?.fingerprint256.replaceAll(':', '').toLowerCase() ?? null
    this.peerCertificate = certificate?.toString() ?? null
    this.peerAddress = tls.remoteAddress ?? ''
    this.peerPort = tls.remotePort ?? 0
    tls.on('data', (bytes: Buffer) => this.#arrive(bytes))
    tls.on('end', () => this.#otherSideLeft())
    tls.on('close', () => this.#otherSideLeft())
    tls.on('error', () => this.#otherSideLeft())
    this.on('error', () => undefined)
    this.#watchIdle()
  }

  /** The owner's state changed: what was held goes on if it may. */
  wake(): void {
    if (!this.#mayPass('out')) return
    const held = this.#held
    this.#held = []
    for (const go of held) go()
    this.#drainInbox()
  }

  /** The process died: the kernel resets what it left open. */
  kill(): void {
    this.#raw.resetAndDestroy()
    this.#leave.abort(new Error('The member died'))
    this.destroy()
  }

  /** The answer to the request has been written, or given up. */
  exchangeEnded(): void {
    this.#exchange = undefined
    this.#fault = undefined
    if (this.left.aborted) this.destroy()
    else this.#watchIdle()
  }

  /** From now on this is a WebSocket: no exchanges, no idle limit. */
  upgraded(): void {
    this.#upgraded = true
    this.#cancelIdle()
  }

  override _read(): void {
    this.#tls.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const delayMs = this.#owner.delayMs
    if (delayMs > 0) this.#owner.clock.after(delayMs, () => this.#send(chunk, done))
    else this.#send(chunk, done)
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'utf8', done)
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#deafToOutput || this.left.aborted) done()
    else this.#tls.end(() => done())
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#cancelIdle()
    this.#leave.abort(new Error('The connection was closed'))
    this.#tls.destroy()
    done(error)
  }

  #arrive(bytes: Buffer): void {
    this.#owner.countBytes(bytes.length)
    this.#inbox.push(bytes)
    this.#drainInbox()
  }

  #drainInbox(): void {
    while (this.#inbox.length > 0 && this.#mayPass('in')) {
      const bytes = this.#inbox.shift()
      if (bytes !== undefined) this.#admit(bytes)
    }
    this.#settleAfterLeaving()
  }

  #admit(bytes: Buffer): void {
    if (this.#upgraded) {
      this.#forward(bytes)
      return
    }
    this.#cancelIdle()
    this.#exchange ??= new Exchange()
    const exchange = this.#exchange
    const before = exchange.received
    exchange.take(bytes)
    const fault = this.#judge(exchange)
    if (fault === undefined || fault.fault.at === 'response') {
      this.#forward(bytes)
      return
    }
    const room = fault.fault.afterBytes - before
    if (bytes.length < room || (bytes.length === room && bytes.length === 0)) {
      this.#forward(bytes)
      return
    }
    if (room > 0) this.#forward(bytes.subarray(0, room))
    const whole = exchange.complete && exchange.received === fault.fault.afterBytes
    this.#suffer(fault, whole)
  }

  /** Finds this exchange's fault as soon as its first line is known. */
  #judge(exchange: Exchange): ArmedFault | undefined {
    if (!exchange.judged && exchange.method !== undefined && exchange.path !== undefined) {
      exchange.judged = true
      this.#fault = this.#owner.faults.any
        ? this.#owner.faults.claim(this.#owner.name, exchange.method, exchange.path)
        : undefined
    }
    return this.#fault
  }

  #forward(bytes: Buffer): void {
    if (!this.push(bytes)) this.#tls.pause()
  }

  #send(chunk: Buffer, done: (error?: Error | null) => void): void {
    if (this.#deafToOutput || this.left.aborted) {
      done()
      return
    }
    if (!this.#mayPass('out')) {
      this.#held.push(() => this.#send(chunk, done))
      return
    }
    const exchange = this.#exchange
    const fault = this.#fault
    if (exchange === undefined || fault === undefined || fault.fault.at !== 'response') {
      this.#tls.write(chunk, (error) => done(error))
      return
    }
    const room = fault.fault.afterBytes - exchange.sent
    exchange.sent += chunk.length
    if (chunk.length < room) {
      this.#tls.write(chunk, (error) => done(error))
      return
    }
    const strike = (): void => {
      this.#suffer(fault, true)
      done()
    }
    if (room > 0) this.#tls.write(chunk.subarray(0, room), strike)
    else strike()
  }

  /** @param whole the member has the whole request, so it is carried out whatever becomes of the connection. */
  #suffer(armed: ArmedFault, whole: boolean): void {
    this.#owner.faults.fired(armed)
    this.#fault = undefined
    this.#deafToOutput = true
    const { kind } = armed.fault
    if (kind === 'stall') {
      this.#stalled = true
    } else if (kind === 'reset') {
      this.#raw.resetAndDestroy()
    } else if (kind === 'close') {
      this.#tls.end()
    } else {
      this.#tls.end(plainAnswer(kind))
    }
    if (!whole) this.#inbox.length = 0
  }

  #mayPass(direction: 'in' | 'out'): boolean {
    if (this.#stalled || this.#owner.frozen) return false
    return direction === 'out' || !this.#owner.deaf
  }

  #otherSideLeft(): void {
    this.#leave.abort(new Error('The client left'))
    this.#settleAfterLeaving()
  }

  /** Once the other side has left, only a request that arrived whole is worth keeping the connection for. */
  #settleAfterLeaving(): void {
    if (!this.left.aborted || this.destroyed || this.#inbox.length > 0) return
    for (const go of this.#held.splice(0)) go()
    if (this.#upgraded || this.#exchange?.complete !== true) this.destroy()
  }

  #watchIdle(): void {
    this.#cancelIdle()
    this.#cancelIdle = this.#owner.clock.after(IDLE_MS, () => {
      if (!this.#owner.frozen) this.#tls.end()
    })
  }
}

function plainAnswer(status: 502 | 503): string {
  const body = `<html><body><h1>${status} ${STATUS_CODES[status]}</h1></body></html>\n`
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: text/html',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n')
}
