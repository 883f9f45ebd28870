import type { ProbePhase } from '@malleus/shared/domain/health.ts'
import type { Clock } from '../lib/clock.ts'
import { MemberError, memberErrorFrom } from './member-error.ts'

/** A request as it goes over the wire. Nothing else of what a browser sent ever reaches a member. */
export interface WireRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With `/1.0` and query, encoded. */
  readonly path: string
  /** JSON. */
  readonly body?: Buffer
  readonly ifMatch?: string
}

export interface WireReply {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
  /** Monotonic instant of the first byte. */
  readonly answeredAt: number
}

/** What of undici's controller is used; so that only `transport.ts` knows undici. */
interface Controller {
  abort(reason: Error): void
}

/**
 * One request on one connection, from being handed to the transport until its whole reply is here. It knows whether a
 * byte of it was written, and is never written twice, whatever happens to its connection.
 */
export class Exchange {
  /** Rejects with a MemberError. */
  readonly reply: Promise<WireReply>
  readonly member: string
  /** Monotonic instant at which the request was handed to a connection; null before. */
  sentAt: number | null = null
  readonly #clock: Clock
  readonly #mostBytes: number
  readonly #chunks: Buffer[] = []
  #resolve: (reply: WireReply) => void = unset
  #reject: (error: MemberError) => void = unset
  #settled = false
  #controller: Controller | null = null
  #status = 0
  #headers: WireReply['headers'] = {}
  #answeredAt = 0
  #length = 0

  constructor(member: string, clock: Clock, mostBytes: number) {
    this.member = member
    this.#clock = clock
    this.#mostBytes = mostBytes
    this.reply = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** Whether at least one byte was handed to a connection, so that it may be executed. */
  get sent(): boolean {
    return this.sentAt !== null
  }

  get settled(): boolean {
    return this.#settled
  }

  /** Ends it, and its connection if it was sent: what would still arrive must not be taken for another's reply. */
  cancel(error: MemberError = this.#error('cancelled', `the request to ${this.member} was given up`)): void {
    this.fail(error)
  }

  /** Ends it with that failure. Does nothing when it has ended. */
  fail(thrown: unknown): void {
    if (this.#settled) return
    this.#settled = true
    const phase: ProbePhase = this.sent ? 'answer' : 'connect'
    const error = memberErrorFrom(thrown, { member: this.member, phase, sent: this.sent })
    this.#controller?.abort(error)
    this.#reject(error)
  }

  // What undici calls, in this order. The first comes right before the first byte is written; throwing there leaves
  // the connection unused.

  onRequestStart(controller: Controller): void {
    if (this.#settled) throw this.#error('cancelled', 'given up before it was sent')
    if (this.sent) throw this.#error('reset', `the connection to ${this.member} was lost, and nothing is sent twice`)
    this.sentAt = this.#clock.monotonic()
    this.#controller = controller
  }

  onResponseStart(_controller: Controller, status: number, headers: WireReply['headers']): void {
    if (status < 200) return
    this.#status = status
    this.#headers = headers
    this.#answeredAt = this.#clock.monotonic()
  }

  onResponseData(_controller: Controller, chunk: Buffer): void {
    this.#length += chunk.length
    if (this.#length > this.#mostBytes) {
      this.fail(this.#error('bad-reply', `the answer of ${this.member} is longer than ${this.#mostBytes} bytes`))
    } else {
      this.#chunks.push(chunk)
    }
  }

  onResponseEnd(): void {
    if (this.#settled) return
    this.#settled = true
    const [first] = this.#chunks
    const body = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks)
    this.#resolve({ status: this.#status, headers: this.#headers, body, answeredAt: this.#answeredAt })
  }

  onResponseError(_controller: Controller, error: Error): void {
    this.#controller = null
    this.fail(error)
  }

  #error(kind: 'cancelled' | 'reset' | 'bad-reply', message: string): MemberError {
    const phase = this.sent ? 'answer' : 'connect'
    return new MemberError({ kind, member: this.member, phase, sent: this.sent, message })
  }
}

function unset(): void {}
