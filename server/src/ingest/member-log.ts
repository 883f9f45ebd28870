import { backoffMs } from '../lib/backoff.ts'
import type { Clock } from '../lib/clock.ts'
import { sleep } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'
import type { AccessLine } from './access-line.ts'
import { readAccessLine } from './access-line.ts'

/** An open subscription to the log of one member. */
export interface LogSocket {
  close(): void
  /** Settles, never rejects, when it is over. */
  readonly closed: Promise<{ readonly reason: string }>
}

export interface LogHandlers {
  onEvent(json: unknown): void
  /** Incus pings every 10 s; a ping proves that the member is still there. */
  onPing(): void
}

export interface MemberLogOptions {
  readonly member: string
  readonly open: (handlers: LogHandlers, signal: AbortSignal) => Promise<LogSocket>
  /** Whether it is worth trying now. */
  readonly answers: () => boolean
  readonly onOpened: () => void
  /** Something came, or a sign of life. */
  readonly onHeard: () => void
  readonly onClosed: (reason: string) => void
  readonly onLine: (line: AccessLine) => void
  /** More lines in a second than this, over ten of them, and it is left alone for ten minutes; null: never. */
  readonly mostPerSecond: number | null
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** Reads the request log of one member for as long as it may, and tries again when it ends. */
export class MemberLog {
  readonly #options: MemberLogOptions
  readonly #stop = new AbortController()
  #socket: LogSocket | null = null
  /** Why the last attempt failed; null while it is read. */
  failure: string | null = null
  /** All logging events in a second, in the last ten that are over; of what is in them only access lines are read. */
  linesPerSecond = 0
  /** Whether it was left alone because of that. */
  isTooMuch = false
  #lines = 0
  #cancelWindow = (): void => {}

  constructor(options: MemberLogOptions) {
    this.#options = options
  }

  start(): void {
    void this.#keepReading()
  }

  stop(): void {
    this.#stop.abort()
    this.#socket?.close()
  }

  /** Stops waiting for a member that is known not to answer. */
  abandon(reason: string): void {
    if (this.#socket === null) return
    this.#options.onClosed(reason)
    this.#socket.close()
  }

  get isReading(): boolean {
    return this.#socket !== null
  }

  async #keepReading(): Promise<void> {
    const { answers, clock, random } = this.#options
    const { signal } = this.#stop
    let failures = 0
    while (!signal.aborted) {
      const isWorthIt = answers()
      if (isWorthIt) failures = (await this.#read()) ? 0 : failures + 1
      if (this.isTooMuch) await sleep(clock, leftAloneMs, signal)
      else if (!isWorthIt) await sleep(clock, lookAgainMs, signal)
      else await sleep(clock, backoffMs(failures, firstRetryMs, mostRetryMs, random), signal)
    }
  }

  /** Reads until it ends; whether it ever began. */
  async #read(): Promise<boolean> {
    const { member, open, onOpened, onHeard, onClosed, onLine, clock, logger } = this.#options
    let cancelSilence = (): void => {}
    const expectFrame = (): void => {
      cancelSilence()
      cancelSilence = clock.after(silentForMs, () => this.abandon(`${member} fell silent`))
    }
    try {
      this.#socket = await open(
        {
          onEvent: (json) => {
            this.#lines += 1
            expectFrame()
            onHeard()
            const line = readAccessLine(json, member)
            if (line !== null) onLine(line)
          },
          onPing: () => {
            expectFrame()
            onHeard()
          },
        },
        this.#stop.signal,
      )
      this.failure = null
      this.isTooMuch = false
      onOpened()
      expectFrame()
      this.#countLines()
      const { reason } = await this.#socket.closed
      onClosed(`the log of ${member} ended: ${reason}`)
      logger.info({ member, reason }, 'the request log of a member ended')
      return true
    } catch (error) {
      this.failure = error instanceof Error ? error.message : String(error)
      logger.debug({ member, error }, 'the request log of a member could not be opened')
      return false
    } finally {
      cancelSilence()
      this.#cancelWindow()
      this.#socket = null
    }
  }

  #countLines(): void {
    const { clock, mostPerSecond } = this.#options
    this.#lines = 0
    this.#cancelWindow = clock.after(windowMs, () => {
      this.linesPerSecond = Math.round((this.#lines * 1000) / windowMs)
      if (mostPerSecond === null || this.linesPerSecond <= mostPerSecond) {
        this.#countLines()
        return
      }
      this.isTooMuch = true
      this.abandon(`it wrote ${this.linesPerSecond} lines per second, more than ${mostPerSecond}`)
    })
  }
}

/** Incus pings every 10 s (incus `internal/server/events/events.go`); two missed ones and a half. */
const silentForMs = 25_000
const firstRetryMs = 200
const lookAgainMs = 1_000
const mostRetryMs = 60_000
const windowMs = 10_000
const leftAloneMs = 10 * 60_000
