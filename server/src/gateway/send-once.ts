// Carries out a plan for something that must not happen twice. A member is left for the next one only while not a byte
// of the request was written to it; from the first byte on its answer is the only one there will be.

import type { Clock } from '../lib/clock.ts'
import type { Reachable } from './dial.ts'
import type { HedgingSettings } from './gateway-settings.ts'
import type { Attempt, AttemptObserver } from './hedge.ts'
import { saysNotDone } from './incus-reply.ts'
import { MemberError, NoResponsiveMember, OutcomeUnknown, describeSilence } from './member-error.ts'

export interface SendOnceOptions<Value> {
  /** In the order in which they are tried; at least one. */
  readonly members: readonly Reachable[]
  begin(member: Reachable): Attempt<Value>
  /** What it is called when none of them accepts it. */
  readonly nobody: 'no_responsive_member' | 'member_unavailable'
  readonly deadlineMs: number
  readonly settings: Pick<HedgingSettings, 'connectionAfterMs' | 'attempts'>
  readonly clock: Clock
  readonly observer: AttemptObserver
  /** Only counts until the first byte is written: what was begun is followed to its end. */
  readonly signal?: AbortSignal | undefined
}

export interface SentOnce<Value> {
  readonly value: Value
  readonly via: string
  readonly attempts: number
}

/**
 * Sends to the first member that gives a connection, once.
 *
 * Rejects with a MemberError when Incus says that it did not do it, with OutcomeUnknown when the request was sent and
 * the answer is missing or does not tell, and with NoResponsiveMember when it certainly was sent to nobody.
 */
export function sendOnce<Value>(options: SendOnceOptions<Value>): Promise<SentOnce<Value>> {
  return new Promise((resolve, reject) => new Sending(options, resolve, reject).start())
}

interface Flight<Value> {
  readonly member: Reachable
  readonly startedAt: number
  readonly attempt: Attempt<Value>
}

class Sending<Value> {
  readonly #options: SendOnceOptions<Value>
  readonly #resolve: (result: SentOnce<Value>) => void
  readonly #reject: (error: Error) => void
  readonly #failures: MemberError[] = []
  #flight: Flight<Value> | null = null
  #begun = 0
  /** How often a member was left because it gave no connection in time. */
  #moved = 0
  #cancelTick: () => void = nothing
  #cancelDeadline: () => void = nothing
  readonly #abort = () => this.#given()

  constructor(
    options: SendOnceOptions<Value>,
    resolve: (result: SentOnce<Value>) => void,
    reject: (error: Error) => void,
  ) {
    this.#options = options
    this.#resolve = resolve
    this.#reject = reject
  }

  start(): void {
    const { signal, clock, deadlineMs } = this.#options
    signal?.addEventListener('abort', this.#abort, { once: true })
    this.#cancelDeadline = clock.after(deadlineMs, () => this.#deadlinePassed())
    if (signal?.aborted === true) this.#given()
    else this.#begin()
  }

  #begin(): void {
    const { members, clock, settings } = this.#options
    const member = members[this.#begun]
    if (member === undefined) {
      this.#fail(this.#sentToNobody())
      return
    }
    this.#begun += 1
    const flight = { member, startedAt: clock.monotonic(), attempt: this.#options.begin(member) }
    this.#flight = flight
    flight.attempt.result.then(
      (value) => this.#answered(flight, value),
      (error: unknown) => this.#failed(flight, error),
    )
    const isLast = this.#begun === members.length || this.#moved + 1 >= settings.attempts
    if (!isLast) this.#cancelTick = clock.after(settings.connectionAfterMs, () => this.#moveOn(flight))
  }

  #moveOn(flight: Flight<Value>): void {
    if (this.#flight !== flight || flight.attempt.sentAt !== null) return
    this.#moved += 1
    this.#failures.push(silence(flight.member.name, false))
    this.#leave(flight)
    this.#begin()
  }

  #answered(flight: Flight<Value>, value: Value): void {
    if (this.#flight !== flight) return
    const { observer, clock } = this.#options
    this.#settle()
    observer.answered(flight.member.name, clock.monotonic() - (flight.attempt.sentAt ?? flight.startedAt))
    this.#resolve({ value, via: flight.member.name, attempts: this.#begun })
  }

  #failed(flight: Flight<Value>, thrown: unknown): void {
    if (this.#flight !== flight) return
    this.#cancelTick()
    if (!(thrown instanceof MemberError)) {
      this.#fail(thrown instanceof Error ? thrown : new Error(String(thrown)))
      return
    }
    this.#options.observer.failed(flight.member.name, thrown)
    // Both must say so: the attempt, which knows its connection, and the error, which knows its phase.
    if (flight.attempt.sentAt === null && !thrown.sent) {
      this.#failures.push(thrown)
      this.#flight = null
      this.#begin()
    } else if (saysNotDone(thrown)) {
      thrown.attempts = this.#begun
      this.#fail(thrown)
    } else {
      this.#fail(new OutcomeUnknown(thrown, this.#begun))
    }
  }

  #deadlinePassed(): void {
    const flight = this.#flight
    if (flight === null) return
    const sent = flight.attempt.sentAt !== null
    const failure = silence(flight.member.name, sent)
    this.#options.observer.failed(flight.member.name, failure)
    this.#leave(flight)
    if (sent) {
      this.#fail(new OutcomeUnknown(failure, this.#begun))
      return
    }
    this.#failures.push(failure)
    const message = `no server accepted the request within ${this.#options.deadlineMs / 1_000} s; it was sent to nobody`
    this.#fail(new NoResponsiveMember('deadline_exceeded', message, this.#failures, this.#begun))
  }

  #given(): void {
    const flight = this.#flight
    if (flight !== null && flight.attempt.sentAt !== null) return
    if (flight !== null) this.#leave(flight)
    const member = (flight?.member ?? this.#options.members[0])?.name ?? ''
    const message = 'given up before it was sent'
    this.#fail(new MemberError({ kind: 'cancelled', member, phase: 'connect', sent: false, message }))
  }

  #sentToNobody(): NoResponsiveMember {
    const busy = this.#failures.length > 0 && this.#failures.every((failure) => failure.kind === 'busy')
    const message = this.#failures.at(-1)?.message ?? 'no server accepted the request'
    return new NoResponsiveMember(busy ? 'member_busy' : this.#options.nobody, message, this.#failures, this.#begun)
  }

  #fail(error: Error): void {
    this.#settle()
    this.#reject(error)
  }

  #settle(): void {
    this.#flight = null
    this.#cancelTick()
    this.#cancelDeadline()
    this.#options.signal?.removeEventListener('abort', this.#abort)
  }

  #leave(flight: Flight<Value>): void {
    this.#flight = null
    flight.attempt.cancel()
  }
}

function silence(member: string, sent: boolean): MemberError {
  const phase = sent ? 'answer' : 'connect'
  return new MemberError({ kind: 'timed-out', member, phase, sent, message: describeSilence(member, phase) })
}

function nothing(): void {}
