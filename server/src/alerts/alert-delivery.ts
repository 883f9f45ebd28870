import type { AlertSinkState } from '@malleus/shared/api/alerts.ts'
import { backoffMs } from '../lib/backoff.ts'
import type { Clock } from '../lib/clock.ts'
import { instant } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'
import { alertMessage } from './alert-message.ts'
import type { AlertSink } from './alert-sink.ts'
import type { RaisedAlert } from './expiry.ts'

export interface AlertDeliveryOptions {
  readonly sink: AlertSink
  readonly publicUrl: string
  /** Hears how each attempt ended. */
  readonly onAttempt: (sink: string, delivered: boolean) => void
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

const firstRetryMs = 60_000
const mostRetryMs = 3_600_000
/** In one message; the rest comes with the next. */
const mostAtOnce = 100

/** The way to one sink: one message at a time, and after a failure later, up to an hour. */
export class AlertDelivery {
  readonly #options: AlertDeliveryOptions
  #sending = false
  #failures = 0
  #nextTryAt = -Infinity
  #deliveredAt: number | null = null
  #failure: { readonly at: number; readonly message: string } | null = null

  constructor(options: AlertDeliveryOptions) {
    this.#options = options
  }

  /** Sends what waits, if it is time; gives what the sink has now. Never throws. */
  async offer(waiting: readonly RaisedAlert[]): Promise<readonly RaisedAlert[]> {
    const { sink, publicUrl, onAttempt, clock, random, logger } = this.#options
    if (waiting.length === 0 || this.#sending || clock.monotonic() < this.#nextTryAt) return []
    const some = waiting.slice(0, mostAtOnce)
    this.#sending = true
    try {
      await sink.deliver(alertMessage(some, publicUrl, clock.now()))
      this.#failures = 0
      this.#failure = null
      this.#deliveredAt = clock.now()
      onAttempt(sink.name, true)
      return some
    } catch (error) {
      this.#failures += 1
      this.#failure = { at: clock.now(), message: error instanceof Error ? error.message : String(error) }
      this.#nextTryAt = clock.monotonic() + backoffMs(this.#failures, firstRetryMs, mostRetryMs, random)
      onAttempt(sink.name, false)
      logger.warn({ err: error, sink: sink.name }, 'Alerts of certificates that end could not be delivered')
      return []
    } finally {
      this.#sending = false
    }
  }

  state(waiting: number): AlertSinkState {
    const { sink, clock } = this.#options
    const nextTryAt = clock.now() + Math.max(0, this.#nextTryAt - clock.monotonic())
    return {
      sink: sink.name,
      to: sink.to,
      waiting,
      deliveredAt: this.#deliveredAt === null ? null : instant(this.#deliveredAt),
      failure: this.#failure && {
        at: instant(this.#failure.at),
        message: this.#failure.message,
        nextTryAt: instant(nextTryAt),
      },
    }
  }
}
