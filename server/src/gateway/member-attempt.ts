import type { Exchange, WireReply } from './exchange.ts'
import type { Attempt } from './hedge.ts'
import type { LimitKind, MemberLimits, Place } from './limits.ts'
import { MemberError } from './member-error.ts'

export interface MemberAttemptOptions<Value> {
  readonly member: string
  readonly kind: LimitKind
  readonly limits: MemberLimits
  send(): Exchange
  /** Throws a MemberError for an answer that is none. */
  read(reply: WireReply): Value | Promise<Value>
  /** Called once, when nothing of it is under way any more. */
  ended(): void
}

/** A request to one member: waits for a place there, is sent, and is read. */
export class MemberAttempt<Value> implements Attempt<Value> {
  readonly result: Promise<Value>
  readonly #options: MemberAttemptOptions<Value>
  readonly #place: Place
  #exchange: Exchange | null = null
  #reject: (error: unknown) => void = nothing
  #over = false

  constructor(options: MemberAttemptOptions<Value>) {
    this.#options = options
    let resolve: (value: Value | Promise<Value>) => void = nothing
    this.result = new Promise((...settle) => {
      ;[resolve, this.#reject] = settle
    })
    const enter = (): void => {
      this.#exchange = options.send()
      this.#exchange.reply.then(
        (reply) => this.#end(() => resolve(options.read(reply))),
        (error: unknown) => this.#fail(error),
      )
    }
    this.#place = options.limits.enter(options.member, options.kind, enter, (error) =>
      queueMicrotask(() => this.#fail(error)),
    )
  }

  get sentAt(): number | null {
    return this.#exchange?.sentAt ?? null
  }

  cancel(): void {
    this.#giveUp('cancelled', `the request to ${this.#options.member} was given up`, false)
  }

  /** Stops waiting for a member of which probes found that it does not answer. */
  abandon(): void {
    this.#giveUp('timed-out', `${this.#options.member} stopped answering`, true)
  }

  #giveUp(kind: 'cancelled' | 'timed-out', message: string, abandoned: boolean): void {
    const sent = this.sentAt !== null
    const phase = sent ? 'answer' : 'connect'
    const error = new MemberError({ kind, member: this.#options.member, phase, sent, message, abandoned })
    this.#exchange?.fail(error)
    this.#fail(error)
  }

  #fail(error: unknown): void {
    this.#end(() => this.#reject(error))
  }

  #end(settle: () => void): void {
    if (this.#over) return
    this.#over = true
    this.#place.leave()
    this.#options.ended()
    try {
      settle()
    } catch (error) {
      this.#reject(error)
    }
  }
}

function nothing(): void {}
