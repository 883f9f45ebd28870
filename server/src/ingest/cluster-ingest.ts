import type { AuditLog } from '../audit/audit-log.ts'
import type { AuditEntry } from '../audit/record.ts'
import type { EventFeed, FeedFact } from '../events/event-feed.ts'
import { SeenEvents } from '../events/seen-events.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'
import type { AccessLine } from './access-line.ts'
import type { IdentityUse, IdentityUseStore } from './identity-use-store.ts'
import { IdentityUses } from './identity-uses.ts'
import { Intake } from './intake.ts'
import { LineCounter } from './line-counter.ts'
import { gapEntry, lineEntry } from './line-record.ts'
import type { LogHandlers, LogSocket } from './member-log.ts'
import { OwnRequests } from './own-requests.ts'
import type { RequestLogSetting, RequestLogState } from './request-log.ts'
import { memberOf, RequestLog } from './request-log.ts'
import type { StreamGap, StreamStore } from './stream-store.ts'
import { StreamTimes } from './stream-times.ts'

export interface ClusterIngestOptions {
  readonly cluster: string
  readonly setting: RequestLogSetting
  /** The console's own identity at this moment; null where it has none. */
  readonly identity: () => { readonly fingerprint: string; readonly unrestricted: boolean } | null
  /** Members that may be contacted. */
  readonly members: () => readonly string[]
  readonly answers: (member: string) => boolean
  /** Opens the logging events of a member with the console's own identity. */
  readonly openLog: (member: string, handlers: LogHandlers, signal: AbortSignal) => Promise<LogSocket>
  /** What the console hears of the cluster with its own identity; null where it has none. */
  readonly feed: Pick<EventFeed, 'subscribe' | 'listening' | 'members' | 'deafSince'> | null
  readonly history: Pick<AuditLog, 'record' | 'outcome' | 'waiting' | 'isAvailable'>
  readonly streams: StreamStore
  readonly uses: IdentityUseStore
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** Since when it is known who used what, and when it was not. */
export interface UseCollection {
  /** Why it is not collected; null while it is. */
  readonly off: string | null
  /** The earliest that any server's requests were followed, in milliseconds since 1970; null: never yet. */
  readonly since: number | null
  /** Times in which a server's requests were not followed: whoever used it then was not seen. */
  readonly gaps: readonly (Omit<StreamGap, 'stream'> & { readonly member: string })[]
  /** Servers whose requests are not followed now, with since when and why. */
  readonly deaf: readonly { readonly member: string; readonly from: number; readonly reason: string }[]
}

/** All that flows into the access history from one cluster, without which it would only tell of this console. */
export class ClusterIngest {
  readonly #options: ClusterIngestOptions
  readonly #times: StreamTimes
  readonly #uses: IdentityUses
  readonly #intake: Intake
  readonly #counter: LineCounter
  readonly #log: RequestLog
  readonly #own: OwnRequests
  readonly #seen = new SeenEvents()
  readonly #ends: (() => void)[] = []
  /** Lines that came before it was known from where this console asks. */
  #early: AccessLine[] | null = []
  #hasNames = false

  constructor(options: ClusterIngestOptions) {
    const { cluster, identity, history, streams, uses, clock, logger } = options
    this.#options = options
    this.#own = new OwnRequests(() => identity()?.fingerprint ?? null)
    this.#times = new StreamTimes({ cluster, store: streams, clock, logger })
    this.#uses = new IdentityUses({ cluster, store: uses, clock, logger })
    this.#intake = new Intake({
      history,
      clock,
      onLost: ({ count, from, to }) => {
        const reason = `${count} records could not be kept: the access history did not take them in time`
        this.#times.missed({ stream: eventStream, from, to, reason })
      },
    })
    this.#counter = new LineCounter(clock, (line, count) => {
      this.#intake.put(lineEntry(cluster, line, this.#own.originOf(line), count))
    })
    this.#log = new RequestLog({
      ...options,
      open: options.openLog,
      times: this.#times,
      onLine: (line) => this.#hear(line),
    })
  }

  /** Reads what earlier runs heard, then follows. Never rejects. */
  async start(): Promise<void> {
    await Promise.all([this.#times.start(), this.#uses.start()])
    const { cluster, feed, clock } = this.#options
    this.#ends.push(this.#times.subscribe((gap) => this.#intake.put(gapEntry(cluster, gap, memberOf(gap.stream)))))
    this.#ends.push(clock.after(mostEarlyMs, () => this.#settleEarly()))
    if (feed !== null) {
      this.#ends.push(feed.subscribe((fact) => this.#hearFeed(fact)))
      this.#ends.push(feed.listening.subscribe(() => this.#noteListening()))
      this.#noteListening()
      this.#watchFeed()
    }
    this.#log.start()
  }

  async stop(): Promise<void> {
    for (const end of this.#ends.splice(0)) end()
    this.#log.stop()
    this.#settleEarly()
    this.#counter.flush()
    this.#intake.close()
    await Promise.all([this.#times.stop(), this.#uses.stop()])
  }

  /** Takes an event of the cluster into the history, behind all that people do here. */
  record(entry: AuditEntry): void {
    this.#intake.put(entry)
  }

  /** The members may be others now. */
  follow(): void {
    this.#log.follow()
    this.#noteListening()
  }

  /** Stops waiting for the log of a member that is known not to answer. */
  abandon(member: string, reason: string): void {
    this.#log.abandon(member, reason)
  }

  /** When somebody whom Incus knows by this last asked a server for something; null when nobody saw it. */
  lastUse(protocol: IdentityUse['protocol'], identity: string): IdentityUse | null {
    return this.#uses.of(protocol, identity)
  }

  /** How much the absence of a last use says. */
  get useCollection(): UseCollection {
    const { members } = this.#options
    const since = members().flatMap((member) => this.#times.since(`requests ${member}`) ?? [])
    return {
      off: this.#log.state.off,
      since: since.length === 0 ? null : Math.min(...since),
      gaps: this.#times.gaps.flatMap(({ stream, from, to, reason }) => {
        const member = memberOf(stream)
        return member === null ? [] : [{ member, from, to, reason }]
      }),
      deaf: this.deaf.flatMap(({ member, from, reason }) => (member === null ? [] : [{ member, from, reason }])),
    }
  }

  /** What is not heard now; without a member: the events of the cluster. */
  get deaf(): readonly { readonly member: string | null; readonly from: number; readonly reason: string }[] {
    const since = this.#options.feed?.deafSince ?? null
    const events = since === null ? [] : [{ member: null, from: since, reason: 'no server is listened to' }]
    const requests = this.#times.deaf.flatMap(({ stream, from, reason }) => {
      const member = memberOf(stream)
      return member === null ? [] : [{ member, from, reason }]
    })
    return [...events, ...requests]
  }

  get requestLog(): RequestLogState {
    return this.#log.state
  }

  #hear(line: AccessLine): void {
    // A member that listens to itself tells some lines twice, as with events.
    if (!this.#seen.isNew(`${line.id} ${line.kind} ${line.address}`, this.#options.clock.monotonic())) return
    this.#uses.saw(line)
    const origin = this.#own.originOf(line)
    if (this.#own.isKnown) this.#settleEarly()
    if (this.#early !== null) {
      if (this.#early.length < mostEarly) this.#early.push(line)
      return
    }
    if (origin !== 'own') this.#counter.take(line)
  }

  #settleEarly(): void {
    const early = this.#early ?? []
    this.#early = null
    for (const line of early) if (this.#own.originOf(line) !== 'own') this.#counter.take(line)
  }

  #hearFeed(fact: FeedFact): void {
    // What was missed before the first stream was open is part of the time since the last run.
    if (fact.kind === 'gap' && this.#hasNames) {
      this.#times.missed({ stream: eventStream, from: fact.from, to: fact.to, reason: fact.reason })
    }
    this.#noteListening()
    if (fact.kind === 'event') this.#times.heard(eventStream)
  }

  /**
   * At its very first start a console knows members by their addresses, and leaves them for the same ones by their names;
   * the history begins with that, and it is no gap.
   */
  #noteListening(): void {
    const { feed, members } = this.#options
    if (this.#hasNames || feed === null || feed.members.length === 0) return
    this.#times.opened(eventStream)
    const known = members()
    this.#hasNames = feed.members.some((member) => known.includes(member))
  }

  /** While at least one stream is open, nothing is missing; a silent one is noticed by the feed itself. */
  #watchFeed(): void {
    const cancel = this.#options.clock.after(watchFeedMs, () => {
      if ((this.#options.feed?.members.length ?? 0) > 0) this.#times.heard(eventStream)
      this.#ends.splice(this.#ends.indexOf(cancel), 1)
      this.#watchFeed()
    })
    this.#ends.push(cancel)
  }
}

/** The lifecycle events of a cluster, among its streams. */
const eventStream = 'events'
const watchFeedMs = 5_000
/** The deep probe says where this console asks from within five seconds. */
const mostEarlyMs = 10_000
const mostEarly = 2_000
