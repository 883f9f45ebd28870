/**
 * The request log of a cluster: who asked which member for what, and whom it refused, as Incus writes it down in its
 * logging events. One stream for each member, since a member's debug lines go to its own listeners only.
 *
 * 2026-11-22. Context: reads and refused attempts outside this console leave no lifecycle event, so the history would
 * not have them. Logging events say them, and also everything else that a daemon says at debug level, secrets included.
 * Decision: they are followed with the console's own identity, which has to be unrestricted for that; access-line.ts
 * keeps known fields of known lines and drops the rest. What follows: each event costs the console a JSON.parse, so the
 * log is off by itself in clusters of more than 20 members and on members that say more than 200 lines in a second. A
 * bad bearer token is refused by Incus 6.0 and 7.0 without any such line, so those attempts are not in the history.
 */
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'
import type { AccessLine } from './access-line.ts'
import type { LogHandlers, LogSocket } from './member-log.ts'
import { MemberLog } from './member-log.ts'
import type { StreamTimes } from './stream-times.ts'

/** `auto`: on, in clusters of at most 20 members whose logs are not too busy. */
export type RequestLogSetting = 'auto' | 'on' | 'off'

export interface RequestLogOptions {
  readonly setting: RequestLogSetting
  /** The console's own identity at this moment; null where it has none. */
  readonly identity: () => { readonly unrestricted: boolean } | null
  /** Members that may be contacted. */
  readonly members: () => readonly string[]
  readonly answers: (member: string) => boolean
  readonly open: (member: string, handlers: LogHandlers, signal: AbortSignal) => Promise<LogSocket>
  readonly times: Pick<StreamTimes, 'opened' | 'heard' | 'closed' | 'gone'>
  readonly onLine: (line: AccessLine) => void
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export interface RequestLogState {
  /** Why nothing is read; null while it is on. */
  readonly off: string | null
  readonly members: readonly {
    readonly member: string
    readonly isReading: boolean
    readonly linesPerSecond: number
    readonly failure: string | null
  }[]
}

export class RequestLog {
  readonly #options: RequestLogOptions
  readonly #logs = new Map<string, MemberLog>()
  #isRunning = false

  constructor(options: RequestLogOptions) {
    this.#options = options
  }

  start(): void {
    this.#isRunning = true
    this.follow()
  }

  stop(): void {
    this.#isRunning = false
    for (const [member, log] of this.#logs) {
      this.#options.times.closed(streamOf(member), 'the console was not running')
      log.stop()
    }
    this.#logs.clear()
  }

  /** The members may be others now. */
  follow(): void {
    if (!this.#isRunning) return
    const members = this.#options.members()
    const off = this.#whyOff(members)
    for (const [member, log] of this.#logs) {
      const isGone = !members.includes(member)
      if (!isGone && off === null) continue
      this.#logs.delete(member)
      if (isGone) this.#options.times.gone(streamOf(member), `${member} left the cluster`)
      else this.#options.times.closed(streamOf(member), off ?? '')
      log.stop()
    }
    if (off !== null) return
    for (const member of members) if (!this.#logs.has(member)) this.#begin(member)
  }

  /** Stops waiting for a member that is known not to answer. */
  abandon(member: string, reason: string): void {
    this.#logs.get(member)?.abandon(reason)
  }

  get state(): RequestLogState {
    return {
      off: this.#whyOff(this.#options.members()),
      members: [...this.#logs].map(([member, log]) => ({
        member,
        isReading: log.isReading,
        linesPerSecond: log.linesPerSecond,
        failure: failureOf(log),
      })),
    }
  }

  #whyOff(members: readonly string[]): string | null {
    const { setting } = this.#options
    const identity = this.#options.identity()
    if (setting === 'off') return 'The configuration says requestLog: off.'
    if (identity === null)
      return 'The console has no identity of its own in this cluster (identity: in the configuration).'
    if (!identity.unrestricted) {
      return 'Incus shows its log to unrestricted certificates only; the configuration does not allow one (identity.unrestricted: true).'
    }
    if (setting === 'auto' && members.length > mostMembers) {
      return `The cluster has ${members.length} servers; with more than ${mostMembers} the log is read only with requestLog: on.`
    }
    return null
  }

  #begin(member: string): void {
    const { times, answers, open, onLine, setting, clock, random, logger } = this.#options
    const stream = streamOf(member)
    const log = new MemberLog({
      member,
      open: (handlers, signal) => open(member, handlers, signal),
      answers: () => answers(member),
      onOpened: () => times.opened(stream),
      onHeard: () => times.heard(stream),
      onClosed: (reason) => times.closed(stream, reason),
      onLine,
      mostPerSecond: setting === 'auto' ? mostLinesPerSecond : null,
      clock,
      random,
      logger,
    })
    this.#logs.set(member, log)
    log.start()
  }
}

/** What a member's request log is called among the streams of its cluster. */
export function streamOf(member: string): string {
  return `requests ${member}`
}

/** The member whose request log a stream is; null for the events of the cluster. */
export function memberOf(stream: string): string | null {
  return stream.startsWith('requests ') ? stream.slice('requests '.length) : null
}

function failureOf({ isTooMuch, isReading, linesPerSecond, failure }: MemberLog): string | null {
  if (isReading) return null
  if (isTooMuch) {
    return `It wrote ${linesPerSecond} lines per second; above ${mostLinesPerSecond} the log is read only with requestLog: on.`
  }
  return failure
}

const mostMembers = 20
const mostLinesPerSecond = 200
