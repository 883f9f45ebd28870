// Carries out a plan for something that may be asked of several members: the first good answer wins. What may be asked
// only once is in send-once.ts.

import type { Clock } from '../lib/clock.ts'
import type { Reachable } from './dial.ts'
import type { HedgingSettings } from './gateway-settings.ts'
import type { HedgeBudget } from './hedge-budget.ts'
import { mayDifferElsewhere } from './incus-reply.ts'
import { MemberError, NoResponsiveMember, describeSilence } from './member-error.ts'
import { silentAmong } from './request-end.ts'

/** One request to one member, under way. */
export interface Attempt<Value> {
  /** Rejects with a MemberError. */
  readonly result: Promise<Value>
  /** Monotonic instant at which its first byte was handed to a connection; null before. */
  readonly sentAt: number | null
  /** Ends it. If it was not sent yet, it never will be. */
  cancel(): void
}

/** Hears what attempts show of the members they were made at. */
export interface AttemptObserver {
  answered(member: string, answerMs: number): void
  failed(member: string, error: MemberError): void
  /** It was sent the request that long ago and said nothing, while another member answered. */
  silent(member: string, waitedMs: number): void
}

export interface HedgeOptions<Value> {
  /** In the order in which they are asked; at least one. */
  readonly members: readonly Reachable[]
  begin(member: Reachable): Attempt<Value>
  /** What it is called when none of them answers. */
  readonly nobody: 'no_responsive_member' | 'member_unavailable'
  /** Whether a second member may be asked while the first has not answered. If not, only after it failed. */
  readonly hedge: boolean
  readonly hedgeDelayMs: number
  /** For everything together; attempts do not extend it. */
  readonly deadlineMs: number
  readonly settings: HedgingSettings
  readonly budget: HedgeBudget
  readonly clock: Clock
  readonly observer: AttemptObserver
  readonly signal?: AbortSignal | undefined
}

export interface HedgeResult<Value> {
  readonly value: Value
  readonly via: string
  /** Members that were asked. */
  readonly attempts: number
  /** Whether a second member was asked before the first had failed. */
  readonly hedged: boolean
  /** Attempts that failed before. */
  readonly failures: readonly MemberError[]
  /** Members that were asked before and had not answered until then. */
  readonly silent: readonly string[]
}

/**
 * Asks the members in order until one gives a good answer, and cancels the rest.
 *
 * The next member is asked when the one before failed in a way that says nothing about the next, when it has given no
 * connection for a while, or, if hedging is allowed, when it has not answered for the hedge delay; a third takes the
 * place of the oldest. Moving on before a byte was written is free; each other second attempt costs a token of the
 * budget. A loser that was sent the request is listened to until it was silent for twice the hedge delay, because then
 * the board should know, and because an answer that still comes saves its connection.
 *
 * Rejects with the MemberError of an answer that is one (such as 404), with NoResponsiveMember when nobody is left or
 * the deadline has passed, or with a cancelled MemberError when the signal says so.
 */
export function hedge<Value>(options: HedgeOptions<Value>): Promise<HedgeResult<Value>> {
  return new Promise((resolve, reject) => new Race(options, resolve, reject).start())
}

interface Flight<Value> {
  readonly member: Reachable
  readonly startedAt: number
  readonly attempt: Attempt<Value>
  /** Another one was begun after it. */
  followed: boolean
  /** Nothing of it matters any more. */
  over: boolean
}

class Race<Value> {
  readonly #options: HedgeOptions<Value>
  readonly #resolve: (result: HedgeResult<Value>) => void
  readonly #reject: (error: Error) => void
  /** Under way, oldest first. */
  #flights: Flight<Value>[] = []
  /** Cancelled to make room, after so long without a word. */
  readonly #replaced: { readonly member: string; readonly waitedMs: number }[] = []
  readonly #failures: MemberError[] = []
  #next = 0
  #begun = 0
  /** Attempts that count towards the most that are allowed: all but those that failed before a byte was written. */
  #counted = 0
  #hedged = false
  #settled = false
  #connectionChecked = false
  #hedgeChecked = false
  #cancelTick: () => void = nothing
  #cancelDeadline: () => void = nothing
  readonly #abort = () => this.#lose(this.#cancelled())

  constructor(
    options: HedgeOptions<Value>,
    resolve: (result: HedgeResult<Value>) => void,
    reject: (error: Error) => void,
  ) {
    this.#options = options
    this.#resolve = resolve
    this.#reject = reject
  }

  start(): void {
    const { signal, clock, deadlineMs } = this.#options
    if (signal?.aborted === true) {
      this.#lose(this.#cancelled())
      return
    }
    signal?.addEventListener('abort', this.#abort, { once: true })
    this.#cancelDeadline = clock.after(deadlineMs, () => this.#deadlinePassed())
    this.#options.budget.request()
    this.#begin()
  }

  #begin(): void {
    const { members, clock, settings } = this.#options
    const member = members[this.#next]
    if (member === undefined) return
    this.#next += 1
    this.#begun += 1
    this.#counted += 1
    const newest = this.#flights.at(-1)
    if (newest !== undefined) newest.followed = true
    const [oldest] = this.#flights
    if (oldest !== undefined && this.#flights.length >= settings.inFlight) this.#replace(oldest)
    const flight = {
      member,
      startedAt: clock.monotonic(),
      attempt: this.#options.begin(member),
      followed: false,
      over: false,
    }
    this.#flights.push(flight)
    this.#connectionChecked = false
    this.#hedgeChecked = false
    flight.attempt.result.then(
      (value) => this.#answered(flight, value),
      (error: unknown) => this.#failed(flight, error),
    )
    this.#schedule()
  }

  /** The next moment at which the newest attempt may turn out to be too slow. */
  #schedule(): void {
    this.#cancelTick()
    this.#cancelTick = nothing
    if (!this.#mayBegin()) return
    const { clock } = this.#options
    const at = Math.min(this.#connectionDueAt(), this.#hedgeDueAt())
    if (at === Infinity) return
    const delayMs = at - clock.monotonic()
    if (delayMs <= 0) this.#tick()
    else this.#cancelTick = clock.after(delayMs, () => this.#tick())
  }

  #tick(): void {
    if (this.#settled) return
    const now = this.#options.clock.monotonic()
    const connectionDue = now >= this.#connectionDueAt()
    const hedgeDue = now >= this.#hedgeDueAt()
    if (connectionDue) this.#connectionChecked = true
    if (hedgeDue) this.#hedgeChecked = true
    const newest = this.#flights.at(-1)
    const unconnected = connectionDue && newest?.followed === false && newest.attempt.sentAt === null
    if (unconnected || (hedgeDue && this.#options.budget.take())) {
      this.#hedged ||= !unconnected
      this.#begin()
    } else {
      this.#schedule()
    }
  }

  #connectionDueAt(): number {
    const newest = this.#flights.at(-1)
    if (newest === undefined || this.#connectionChecked) return Infinity
    return newest.startedAt + this.#options.settings.connectionAfterMs
  }

  #hedgeDueAt(): number {
    const newest = this.#flights.at(-1)
    const { hedge, hedgeDelayMs, settings } = this.#options
    if (newest === undefined || !hedge || this.#hedgeChecked) return Infinity
    return newest.startedAt + (this.#flights.length === 1 ? hedgeDelayMs : settings.thirdAfterMs)
  }

  #mayBegin(): boolean {
    const { members, settings } = this.#options
    return !this.#settled && this.#next < members.length && this.#counted < settings.attempts
  }

  #answered(flight: Flight<Value>, value: Value): void {
    if (flight.over) return
    const { observer, clock } = this.#options
    this.#takeOut(flight)
    observer.answered(flight.member.name, clock.monotonic() - (flight.attempt.sentAt ?? flight.startedAt))
    if (this.#settled) return
    const via = flight.member.name
    this.#settle()
    const silent = this.#askedBefore(flight)
    this.#resolve({ value, via, attempts: this.#begun, hedged: this.#hedged, failures: this.#failures, silent })
    for (const { member, waitedMs } of this.#replaced) {
      if (waitedMs >= this.#silentForMs()) observer.silent(member, waitedMs)
    }
    for (const loser of this.#flights) this.#listenOut(loser)
  }

  #failed(flight: Flight<Value>, thrown: unknown): void {
    if (flight.over) return
    this.#takeOut(flight)
    if (!(thrown instanceof MemberError)) {
      this.#lose(thrown instanceof Error ? thrown : new Error(String(thrown)))
      return
    }
    this.#options.observer.failed(flight.member.name, thrown)
    if (this.#settled) return
    if (!mayDifferElsewhere(thrown)) {
      thrown.attempts = this.#begun
      this.#lose(thrown)
      return
    }
    this.#failures.push(thrown)
    if (!thrown.sent) this.#counted -= 1
    // One after which another was begun has its successor already: a further one is a hedge, and waits for its time.
    const isFree = !flight.followed && (!thrown.sent || thrown.abandoned)
    const isDue = (thrown.sent && !thrown.abandoned) || this.#flights.length === 0
    if (this.#mayBegin() && (isFree || (isDue && this.#options.budget.take()))) this.#begin()
    else if (this.#flights.length === 0) this.#lose(this.#nobodyLeft())
    else this.#schedule()
  }

  #replace(flight: Flight<Value>): void {
    const { member, attempt } = flight
    this.#flights = this.#flights.filter((other) => other !== flight)
    if (attempt.sentAt !== null) {
      this.#replaced.push({ member: member.name, waitedMs: this.#options.clock.monotonic() - attempt.sentAt })
    }
    this.#end(flight)
  }

  #askedBefore(winner: Flight<Value>): readonly string[] {
    if (this.#begun === 1) return nobody
    const slower = this.#flights
      .filter(({ startedAt }) => startedAt < winner.startedAt)
      .map(({ member }) => member.name)
    return [...new Set([...silentAmong(this.#failures), ...this.#replaced.map(({ member }) => member), ...slower])]
  }

  /** Another member has answered: hears whether this one still does, for a while. */
  #listenOut(flight: Flight<Value>): void {
    const { sentAt } = flight.attempt
    if (sentAt === null) {
      this.#end(flight)
      return
    }
    const { clock, observer } = this.#options
    const giveUp = (): void => {
      if (flight.over) return
      this.#end(flight)
      observer.silent(flight.member.name, clock.monotonic() - sentAt)
    }
    const leftMs = sentAt + this.#silentForMs() - clock.monotonic()
    if (leftMs <= 0) giveUp()
    else clock.after(leftMs, giveUp)
  }

  /** Silence for that long, while another member answered, is worth telling the board. */
  #silentForMs(): number {
    return 2 * Math.max(this.#options.hedgeDelayMs, this.#options.settings.delayLeastMs)
  }

  #deadlinePassed(): void {
    const { deadlineMs } = this.#options
    for (const flight of this.#flights) {
      const { attempt } = flight
      const member = flight.member.name
      const sent = attempt.sentAt !== null
      const phase = sent ? 'answer' : 'connect'
      const failure = new MemberError({
        kind: 'timed-out',
        member,
        phase,
        sent,
        message: describeSilence(member, phase),
      })
      this.#failures.push(failure)
      this.#options.observer.failed(member, failure)
    }
    const [only, other] = this.#options.members
    const who = only !== undefined && other === undefined ? `${only.name} did not answer` : 'no server answered'
    const message = `${who} within ${deadlineMs / 1_000} s`
    this.#lose(new NoResponsiveMember('deadline_exceeded', message, this.#failures, this.#begun))
  }

  /** An answer, even an unpleasant one, says more than silence: it is what the person gets to hear. */
  #nobodyLeft(): Error {
    const answer = this.#failures.find((failure) => failure.status !== null)
    if (answer !== undefined) {
      answer.attempts = this.#begun
      return answer
    }
    const busy = this.#failures.length > 0 && this.#failures.every((failure) => failure.kind === 'busy')
    const message = this.#failures.at(-1)?.message ?? 'no server answered'
    return new NoResponsiveMember(busy ? 'member_busy' : this.#options.nobody, message, this.#failures, this.#begun)
  }

  #lose(error: Error): void {
    if (this.#settled) return
    this.#settle()
    this.#reject(error)
    for (const flight of this.#flights) this.#end(flight)
  }

  #settle(): void {
    this.#settled = true
    this.#cancelTick()
    this.#cancelDeadline()
    this.#options.signal?.removeEventListener('abort', this.#abort)
  }

  #takeOut(flight: Flight<Value>): void {
    flight.over = true
    this.#flights = this.#flights.filter((other) => other !== flight)
  }

  #end(flight: Flight<Value>): void {
    flight.over = true
    flight.attempt.cancel()
  }

  #cancelled(): MemberError {
    const member = (this.#flights[0]?.member ?? this.#options.members[0])?.name ?? ''
    return new MemberError({
      kind: 'cancelled',
      member,
      phase: 'answer',
      sent: false,
      message: 'the request was given up',
    })
  }
}

const nobody: readonly string[] = []

function nothing(): void {}
