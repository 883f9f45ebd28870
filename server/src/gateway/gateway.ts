// The door out: every request of people and of the console that Incus is to answer goes through here, and the rest of
// the server sees nothing of members, attempts and connections but this.
//
// How each class is carried:
// - `read`: hedged. A second member is asked when the first has not answered in time.
// - `list`: retried, not hedged: a list makes Incus work, and may make it ask every other member.
// - `longpoll`, `stream`: neither; a long poll is silent by nature.
// - changes: sent once. To the next member only while not a byte was written.

import { badness } from '@malleus/shared/domain/health.ts'
import { z } from 'zod'
import type { MemberDirectory } from '../clusters/member-directory.ts'
import type { HealthBoard, HealthChange } from '../health/health-board.ts'
import type { Failure } from '../health/health.ts'
import { RouteLatency } from '../health/route-latency.ts'
import type { Clock } from '../lib/clock.ts'
import type { Random } from '../lib/random.ts'
import type { Reachable } from './dial.ts'
import type { WireReply, WireRequest } from './exchange.ts'
import { Exchange } from './exchange.ts'
import type { Part } from './fan-out.ts'
import { fanOut } from './fan-out.ts'
import type { GatewaySettings } from './gateway-settings.ts'
import type { GatewayLoad, GatewayWatch } from './gateway-watch.ts'
import { attemptFailure } from './gateway-watch.ts'
import { HedgeBudget } from './hedge-budget.ts'
import type { AttemptObserver, HedgeResult } from './hedge.ts'
import { hedge } from './hedge.ts'
import type { ParsedReply } from './incus-reply.ts'
import { readIncusReply, readIncusRows, saysStarting } from './incus-reply.ts'
import type { LimitKind, Place } from './limits.ts'
import { MemberLimits } from './limits.ts'
import { MemberAttempt } from './member-attempt.ts'
import type { MemberErrorKind } from './member-error.ts'
import { DatabaseUnavailable, MemberError, NoResponsiveMember, OutcomeUnknown } from './member-error.ts'
import { onlyAnswerer } from './passed-on.ts'
import type { Believed, Plan } from './plan.ts'
import { planAttempts } from './plan.ts'
import { ReplyMemory } from './reply-memory.ts'
import type { Answer, ReadRequest, RequestClass, WriteRequest } from './request.ts'
import type { RequestEnd } from './request-end.ts'
import { endOf } from './request-end.ts'
import type { Scope } from './scope.ts'
import { sendOnce } from './send-once.ts'
import type { Authority, Transport } from './transport.ts'
import { authorityOf } from './transport.ts'

/** A question to each member about itself; each is asked alone. */
export interface ReadEachRequest<Parsed> extends Omit<ReadRequest<Parsed>, 'target' | 'path'> {
  /** Default: all. */
  readonly members?: readonly string[]
  /** Below `/1.0`, for this member. */
  readonly path: (member: string) => string
}

/** An open subscription to the events of one member. */
export interface EventSocket {
  close(): void
  /** Settles, never rejects, when it is over. */
  readonly closed: Promise<{ readonly reason: string }>
}

export interface EventHandlers {
  /** One message, parsed as JSON. */
  onEvent(json: unknown): void
  onPing(): void
}

/**
 * Asks Incus. Everything rejects with one of `MemberError` (Incus's own answer, or a cancelled request),
 * `NoResponsiveMember` and, for a change, `OutcomeUnknown`; all of them have `code`, `attempts` and their cause.
 */
export interface Gateway {
  /** Reads from whichever targeted member answers first; from exactly one when the target is a member. */
  read<Parsed>(request: ReadRequest<Parsed>): Promise<Answer<Parsed>>
  /** Changes something, at most once. */
  write<Parsed>(request: WriteRequest<Parsed>): Promise<Answer<Parsed>>
  /** Reads from every member its own part. Never rejects for a member's sake. */
  readEach<Parsed>(request: ReadEachRequest<Parsed>): Promise<ReadonlyMap<string, Part<Parsed>>>
  /** Listens to the events of one member. `query` is that of `/1.0/events`, such as `type` and `all-projects`. */
  openEvents(
    member: string,
    scope: Scope,
    query: Readonly<Record<string, string>>,
    handlers: EventHandlers,
    signal?: AbortSignal,
  ): Promise<EventSocket>
}

export interface ClusterGatewayOptions {
  readonly directory: MemberDirectory
  readonly board: HealthBoard
  readonly transport: Pick<Transport, 'request' | 'openWebSocket' | 'connectionFailures'>
  readonly settings: GatewaySettings
  readonly clock: Clock
  readonly random: Random
  /** Whether the member can check people's tokens; asked for requests that carry one. Kept by probes. */
  readonly bearerUsable: (member: string) => boolean
  /**
   * Whether requests tell the board about the cluster database: where the console has no identity of its own, no probe
   * does.
   */
  readonly observeDatabase: boolean
  readonly watch?: GatewayWatch
  /** Hears of every request that has ended, with the members that were to answer it. Must be quick, and not throw. */
  readonly onEnd?: (end: RequestEnd) => void
}

/** One message of the event stream; Incus's operations with long output stay far below. */
const mostEventBytes = 16 * 1024 * 1024

/** The words of JSON.parse quote what it could not read, which may be anything; ours do not. */
function parseMessage(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new SyntaxError('a message of the stream is not JSON')
  }
}

/** For how long a member that refused a good token is asked after the others. */
const refusingTokensMs = 10_000

/** The gateway of one cluster. */
export class ClusterGateway implements Gateway {
  readonly #options: ClusterGatewayOptions
  readonly #latency: RouteLatency
  readonly #budget: HedgeBudget
  readonly #limits: MemberLimits
  readonly #replies = new ReplyMemory()
  /** Reads under way by member, so that none waits for a member that turns out not to answer. */
  readonly #reading = new Map<string, Set<MemberAttempt<unknown>>>()
  /** Members that lately refused a token which another one took, and until when that is remembered. */
  readonly #refusingTokens = new Map<string, number>()
  readonly #stopListening: readonly (() => void)[]

  constructor(options: ClusterGatewayOptions) {
    const { board, clock, settings, transport } = options
    const { delayLeastMs, delayMostMs, delayWithoutDataMs } = settings.hedging
    this.#options = options
    this.#latency = new RouteLatency({ leastMs: delayLeastMs, mostMs: delayMostMs, withoutDataMs: delayWithoutDataMs })
    this.#budget = new HedgeBudget(settings.hedging, clock)
    this.#limits = new MemberLimits(settings.limits, clock, () => board.panic)
    this.#stopListening = [
      board.subscribe((change) => this.#boardChanged(change)),
      transport.connectionFailures.subscribe(({ member, error }) => this.#noteFailure(member, error, 'stream')),
    ]
  }

  async read<Parsed>(request: ReadRequest<Parsed>): Promise<Answer<Parsed>> {
    const { clock, settings, watch } = this.#options
    const startedAt = clock.monotonic()
    try {
      const authority = await authorityOf(request.scope)
      const plan = this.#plan(request)
      const wire: WireRequest = { method: 'GET', path: pathOf(request.path, request.query) }
      const latencyKey = latencyKeyOf(request)
      const plannedAt = clock.monotonic()
      const { value, ...how } = await hedge({
        members: plan.members,
        begin: (member) => this.#begin(member, authority, wire, request),
        nobody: plan.nobody,
        hedge: plan.hedge,
        hedgeDelayMs: plan.doubtful ? 0 : this.#latency.hedgeDelayMs(latencyKey, plannedAt),
        deadlineMs: request.deadlineMs ?? this.#deadlineMs(request.class),
        settings: settings.hedging,
        budget: this.#budget,
        clock,
        observer: this.#observerFor(request.class, isThroughDatabase(request)),
        signal: request.signal,
      })
      const now = clock.monotonic()
      if (request.class === 'read') this.#latency.record(latencyKey, now - plannedAt, now)
      this.#learnFrom(how, request)
      watch?.carried(request.class, 'answered', how.attempts, how.hedged, now - startedAt)
      this.#tellEnd(request, request.class, how, startedAt)
      return { ...value, via: how.via, attempts: how.attempts, hedged: how.hedged }
    } catch (error) {
      this.#noteEnd(request.class, error, startedAt)
      this.#tellEnd(request, request.class, endOf(error, request), startedAt)
      throw error
    }
  }

  async write<Parsed>(request: WriteRequest<Parsed>): Promise<Answer<Parsed>> {
    const { board, clock, settings, watch } = this.#options
    const startedAt = clock.monotonic()
    try {
      // Before anything is sent, so that it can be said that nothing was: it would hang until somebody gives up on it.
      if (board.databaseAvailable === false) throw new DatabaseUnavailable()
      const authority = await authorityOf(request.scope)
      const carried = { ...request, class: 'mutate' } as const
      const plan = this.#plan(carried)
      const wire = wireOf(request)
      const { value, via, attempts } = await sendOnce({
        members: plan.members,
        begin: (member) => this.#begin(member, authority, wire, carried),
        nobody: plan.nobody,
        deadlineMs: request.deadlineMs ?? settings.limits.mutationMs,
        settings: settings.hedging,
        clock,
        observer: this.#observerFor('mutate', true),
        signal: request.signal,
      })
      watch?.carried('mutate', 'answered', attempts, false, clock.monotonic() - startedAt)
      // Members are tried in order, and left for the next one when they give no connection.
      const silent = plan.members.slice(0, attempts - 1).map(({ name }) => name)
      this.#tellEnd(request, 'mutate', { via, silent }, startedAt)
      return { ...value, via, attempts, hedged: false }
    } catch (error) {
      this.#noteEnd('mutate', error, startedAt)
      this.#tellEnd(request, 'mutate', endOf(error, request), startedAt)
      throw error
    }
  }

  readEach<Parsed>(request: ReadEachRequest<Parsed>): Promise<ReadonlyMap<string, Part<Parsed>>> {
    const { board, clock, directory } = this.#options
    const { members, path, ...rest } = request
    return fanOut({
      members: members ?? directory.list().map(({ name }) => name),
      whyNot: (name) => {
        const { standing, failure } = board.current(name)
        return standing === 'ejected' ? (failure?.message ?? `${name} does not answer`) : null
      },
      ask: async (name) => {
        const startedAt = clock.monotonic()
        const { value } = await this.read({ ...rest, path: path(name), target: { kind: 'member', name } })
        return { value, answerMs: clock.monotonic() - startedAt }
      },
    })
  }

  async openEvents(
    member: string,
    scope: Scope,
    query: Readonly<Record<string, string>>,
    handlers: EventHandlers,
    signal?: AbortSignal,
  ): Promise<EventSocket> {
    const { settings, transport } = this.#options
    const authority = await authorityOf(scope)
    const plan = this.#plan({ scope, class: 'stream', target: { kind: 'member', name: member } })
    const [known] = plan.members
    const place = await this.#placeForStream(member)
    this.#options.watch?.begun(member, 'stream')
    try {
      const opened = await transport.openWebSocket({
        member: known,
        authority,
        path: pathOf('/events', query),
        openTimeoutMs: settings.limits.streamOpenMs,
        mostMessageBytes: mostEventBytes,
        handlers: { onMessage: (text) => handlers.onEvent(parseMessage(text)), onPing: () => handlers.onPing() },
        ...(signal === undefined ? {} : { signal }),
      })
      if ('reply' in opened) throw refusedStream(opened.reply, member, authority)
      void opened.closed.finally(() => place.leave())
      return opened
    } catch (error) {
      place.leave()
      if (error instanceof MemberError) {
        this.#options.watch?.failed(member, 'stream', attemptFailure(error))
        this.#noteFailure(member, error, 'stream')
      }
      throw error
    }
  }

  /** How much is in use at this moment. */
  load(): GatewayLoad {
    const { left, withheld } = this.#budget
    return { budget: left, withheld, members: this.#limits.load() }
  }

  /** Stops listening to the board and the transport. The transport is destroyed by who made it. */
  close(): void {
    for (const stop of this.#stopListening) stop()
  }

  /** Throws NoResponsiveMember when there is nobody to ask. */
  #plan(request: Planned): Attempts {
    const { board, clock, directory, random, bearerUsable } = this.#options
    const isBearer = request.scope.kind === 'bearer'
    const now = clock.monotonic()
    const believed = (member: string): Believed => {
      const { standing } = board.current(member)
      const refuses =
        isBearer && (this.#refusingTokens.get(member) ?? 0) > now && badness(standing) < badness('degraded')
      return refuses ? { standing: 'degraded', share: 0 } : { standing, share: board.firstAttemptShare(member) }
    }
    const plan = planAttempts({
      target: request.target,
      class: request.class,
      answerer: isRead(request) ? onlyAnswerer(request) : null,
      databaseIsLost: board.databaseAvailable === false && isThroughDatabase(request),
      members: directory.list(),
      believed,
      usable: (member) => !isBearer || bearerUsable(member),
      panic: board.panic,
      fraction: () => random.fraction(),
    })
    if (plan.kind === 'nobody') throw new NoResponsiveMember(plan.code, plan.why, [], 0)
    return plan
  }

  #begin<Parsed>(
    member: Reachable,
    authority: Authority,
    wire: WireRequest,
    request: Pick<ReadRequest<Parsed>, 'parse' | 'eachRow'> & { readonly class: RequestClass },
  ): MemberAttempt<ParsedReply<Parsed>> {
    const { name } = member
    const { eachRow } = request
    const context = { member: name, bearer: authority.kind === 'bearer', parse: request.parse }
    const reading = request.class === 'mutate' ? null : this.#readingAt(name)
    this.#options.watch?.begun(name, request.class)
    const attempt: MemberAttempt<ParsedReply<Parsed>> = new MemberAttempt({
      member: name,
      kind: limitKindOf[request.class],
      limits: this.#limits,
      send: () => this.#send(member, authority, wire),
      read: (reply) => {
        if (eachRow !== undefined) return readIncusRows(reply, context, eachRow)
        return request.class === 'read' ? this.#replies.read(wire.path, reply, context) : readIncusReply(reply, context)
      },
      ended: () => reading?.delete(attempt),
    })
    reading?.add(attempt)
    return attempt
  }

  /** Until its turn came it may have waited long: what was found out about the member meanwhile counts. */
  #send(member: Reachable, authority: Authority, wire: WireRequest): Exchange {
    const { board, clock, settings, transport } = this.#options
    const { name } = member
    if (board.current(name).standing !== 'untrusted') return transport.request(member, authority, wire)
    const exchange = new Exchange(name, clock, settings.limits.replyBytes)
    const message = `${name} presents a certificate that is not the cluster's, so nothing is sent to it`
    const phase = 'certificate'
    exchange.fail(new MemberError({ kind: 'wrong-certificate', member: name, phase, sent: false, message }))
    return exchange
  }

  #readingAt(member: string): Set<MemberAttempt<unknown>> {
    let reading = this.#reading.get(member)
    if (reading === undefined) this.#reading.set(member, (reading = new Set()))
    return reading
  }

  /** What probes find out ends the wait of those who are waiting. Changes are waited for: they may still be answered. */
  #boardChanged(change: HealthChange): void {
    if (change.kind !== 'member') return
    const gone = change.after === null || change.after.standing === 'ejected' || change.after.standing === 'untrusted'
    const reading = this.#reading.get(change.member)
    if (!gone || reading === undefined) return
    for (const attempt of reading) attempt.abandon()
    if (change.after === null) this.#reading.delete(change.member)
  }

  #observerFor(requestClass: RequestClass, isThroughDatabase: boolean): AttemptObserver {
    const { board, watch } = this.#options
    return {
      answered: (member, answerMs) => {
        board.observe(member, { kind: 'request-answered', answerMs })
        watch?.answered(member, requestClass, answerMs)
      },
      silent: (member, waitedMs) => {
        board.observe(member, { kind: 'request-silent', waitedMs })
        watch?.failed(member, requestClass, 'silent')
      },
      failed: (member, error) => {
        watch?.failed(member, requestClass, attemptFailure(error))
        // Connections that cannot be made are told by the transport, also those that nobody waited for any more.
        if (error.phase === 'answer') this.#noteFailure(member, error, requestClass, isThroughDatabase)
      },
    }
  }

  #tellEnd(
    { scope }: Pick<ReadRequest<unknown>, 'scope'>,
    requestClass: RequestClass,
    end: Pick<RequestEnd, 'via' | 'silent'> | null,
    startedAt: number,
  ): void {
    if (end === null) return
    const tookMs = this.#options.clock.monotonic() - startedAt
    this.#options.onEnd?.({ class: requestClass, scope: scope.kind, via: end.via, silent: end.silent, tookMs })
  }

  #noteEnd(requestClass: RequestClass, error: unknown, startedAt: number): void {
    const { watch, clock } = this.#options
    if (watch === undefined) return
    const known =
      error instanceof MemberError || error instanceof NoResponsiveMember || error instanceof OutcomeUnknown
        ? error
        : null
    watch.carried(requestClass, known?.code ?? 'internal', known?.attempts ?? 0, false, clock.monotonic() - startedAt)
  }

  #noteFailure(member: string, error: MemberError, requestClass: RequestClass, isThroughDatabase = false): void {
    const { board, observeDatabase } = this.#options
    const failure = failureOf(error, requestClass)
    // A question may wait for the database and not for the member. Who else would tell, without probes that ask it?
    const waited = isThroughDatabase && failure?.how === 'silent' && failure.phase === 'answer'
    if (observeDatabase && (waited || error.database)) {
      board.observe(member, { kind: 'deep-failed', message: error.message })
    }
    if (failure === null || (waited && board.databaseAvailable === false)) return
    board.observe(member, { kind: 'request-failed', failure })
  }

  /** What an answer says of the members that gave none, or gave another. */
  #learnFrom(how: Omit<HedgeResult<unknown>, 'value'>, request: ReadRequest<unknown>): void {
    const { board, clock, observeDatabase } = this.#options
    for (const { member, code } of how.failures) {
      // The same token was good elsewhere, so it is not the token: a member that was restarted while the provider was
      // down has no keys to check with (incus `internal/server/auth/oidc`).
      if (code === 'cluster_rejected_token') this.#refusingTokens.set(member, clock.monotonic() + refusingTokensMs)
    }
    if (observeDatabase && request.path !== '') board.observe(how.via, { kind: 'deep-answered' })
  }

  #placeForStream(member: string): Promise<Place> {
    return new Promise((resolve, reject) => {
      const place = this.#limits.enter(member, 'stream', () => queueMicrotask(() => resolve(place)), reject)
    })
  }

  #deadlineMs(requestClass: ReadRequest<unknown>['class']): number {
    const { readMs, listMs, longPollMs } = this.#options.settings.limits
    return { read: readMs, list: listMs, longpoll: longPollMs }[requestClass]
  }
}

type Planned = Pick<ReadRequest<unknown>, 'scope' | 'target'> &
  Partial<Pick<ReadRequest<unknown>, 'path' | 'query' | 'on'>> & { readonly class: RequestClass }
type Attempts = Extract<Plan, { kind: 'attempts' }>

const limitKindOf: Readonly<Record<RequestClass, LimitKind>> = {
  read: 'read',
  list: 'list',
  longpoll: 'stream',
  stream: 'stream',
  download: 'stream',
  upload: 'stream',
  mutate: 'mutate',
}

/** Everything but what a server says of itself, which it has in memory; events as well. */
function isThroughDatabase({ path, class: requestClass }: Pick<Planned, 'path' | 'class'>): boolean {
  return path !== undefined && path !== '' && requestClass !== 'stream'
}

function isRead(request: Planned): request is Planned & Pick<ReadRequest<unknown>, 'path' | 'query' | 'on'> {
  return request.class !== 'mutate' && request.path !== undefined
}

function pathOf(path: string, query: Readonly<Record<string, string>> | undefined): string {
  if (query === undefined) return `/1.0${path}`
  const text = new URLSearchParams(query).toString()
  return text === '' ? `/1.0${path}` : `/1.0${path}?${text}`
}

function wireOf({ method, path, query, body, ifMatch }: WriteRequest<unknown>): WireRequest {
  return {
    method,
    path: pathOf(path, query),
    ...(body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) }),
    ...(ifMatch === undefined ? {} : { ifMatch }),
  }
}

/**
 * Which requests are alike in how long they take: by the kind of object, how deep below it, and how much of each is
 * asked for. Never by name, so that there are only so many.
 */
function latencyKeyOf({ class: requestClass, path, query }: ReadRequest<unknown>): string {
  const [, first = '', ...rest] = path.split('/')
  return `${requestClass} ${first} ${rest.length} ${query?.['recursion'] ?? '0'}`
}

/**
 * What a failed attempt says of the member; null when it says nothing. Only what we could not get counts against it. An
 * answer to a list or a change may be late because Incus waits for another member: that silence is not its own.
 */
function failureOf(error: MemberError, requestClass: RequestClass): Failure | null {
  const { kind, phase, message } = error
  const how = howOf[kind] ?? (saysStarting(error) ? 'starting' : null)
  if (how === null || error.abandoned || (kind === 'bad-reply' && error.status !== null)) return null
  if (how === 'silent' && phase === 'answer' && requestClass !== 'read') return null
  return { phase, how, fresh: phase !== 'answer', message }
}

const howOf: Readonly<Record<MemberErrorKind, Failure['how'] | null>> = {
  refused: 'refused',
  unreachable: 'no-route',
  'timed-out': 'silent',
  reset: 'closed',
  'wrong-certificate': 'wrong-certificate',
  'bad-reply': 'closed',
  incus: null,
  busy: null,
  cancelled: null,
}

/** Incus answers a stream that it refuses as it answers anything else. */
function refusedStream(reply: WireReply, member: string, authority: Authority): MemberError {
  try {
    readIncusReply(reply, { member, bearer: authority.kind === 'bearer', parse: z.unknown() })
  } catch (error) {
    if (error instanceof MemberError) return error
    throw error
  }
  const message = `${member} answered instead of opening a stream`
  return new MemberError({ kind: 'bad-reply', member, phase: 'answer', sent: true, status: reply.status, message })
}
