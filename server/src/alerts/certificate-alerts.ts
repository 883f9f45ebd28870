/**
 * Certificates that end, told in time: at 30, 14, 7, 3 and 1 days, once each, also over a new start. What is to be told
 * is durable before it is sent, and kept as sent once the other side has it, so it is delivered at least once. Nothing
 * waits for this: a sink that does not answer is tried again, and keeps nobody from anything.
 */
import type { AlertSinkName, AlertSinkState, CertificateAlert } from '@malleus/shared/api/alerts.ts'
import type { Clock } from '../lib/clock.ts'
import { instant } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'
import { AlertDelivery } from './alert-delivery.ts'
import { testMessage } from './alert-message.ts'
import type { AlertSink } from './alert-sink.ts'
import type { AlertStore } from './alert-store.ts'
import { distinct, pendingFor, planAlerts, thresholdOf } from './expiry.ts'
import type { RaisedAlert, Reading } from './expiry.ts'
import type { CertificateSource, KnownCertificate } from './known-certificate.ts'
import { NoSuchSink } from './no-such-sink.ts'

export interface CertificateAlertsOptions {
  /** The same certificate in several of them is told by the first. */
  readonly sources: readonly CertificateSource[]
  readonly store: AlertStore
  readonly sinks: readonly AlertSink[]
  readonly publicUrl: string
  readonly onAttempt: (sink: string, delivered: boolean) => void
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

const everyMs = 60_000

export class CertificateAlerts {
  readonly #options: CertificateAlertsOptions
  readonly #deliveries: readonly { readonly sink: AlertSink; readonly delivery: AlertDelivery }[]
  /** Null until they were read back: before, nobody knows what was told. */
  #raised: readonly RaisedAlert[] | null = null
  /** What was sent and could not be kept as sent; it is known here, and would be repeated by a new start. */
  #notKept: readonly { readonly sink: string; readonly alerts: readonly RaisedAlert[] }[] = []
  #looking = false
  #cancel = () => {}

  constructor(options: CertificateAlertsOptions) {
    this.#options = options
    this.#deliveries = options.sinks.map((sink) => ({ sink, delivery: new AlertDelivery({ ...options, sink }) }))
  }

  /** Looks now and every minute. */
  start(): void {
    void this.check()
    this.#cancel = this.#options.clock.after(everyMs, () => this.start())
  }

  async stop(): Promise<void> {
    this.#cancel()
    await Promise.all(this.#options.sinks.map((sink) => sink.close()))
  }

  /** Raises what has to be, and sends what waits. Never throws; what fails is done the next time. */
  async check(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      await this.#look()
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'Certificates that end could not be looked after')
    } finally {
      this.#looking = false
    }
    await Promise.all(this.#deliveries.map((one) => this.#deliver(one)))
  }

  /** What ends within thirty days or has ended, the soonest first, of those that `sees` lets through. */
  alerts(sees: (cluster: string | null) => boolean): CertificateAlert[] {
    const now = this.#options.clock.now()
    return this.watched(sees)
      .toSorted((a, b) => a.expiresAt - b.expiresAt)
      .flatMap(({ expiresAt, ...rest }) => {
        const threshold = thresholdOf(expiresAt, now)
        return threshold === null ? [] : [{ ...rest, expiresAt: instant(expiresAt), threshold }]
      })
  }

  watched(sees: (cluster: string | null) => boolean): readonly KnownCertificate[] {
    return distinct(this.#read())
      .map(({ certificate }) => certificate)
      .filter(({ cluster }) => sees(cluster))
  }

  sinks(): AlertSinkState[] {
    const raised = this.#raised ?? []
    return this.#deliveries.map(({ sink, delivery }) => delivery.state(pendingFor(sink.name, raised).length))
  }

  /** @throws NoSuchSink; a delivery that fails is an answer. */
  async test(name: AlertSinkName): Promise<{ delivered: boolean; said: string; ms: number }> {
    const { sinks, publicUrl, clock } = this.#options
    const sink = sinks.find((one) => one.name === name)
    if (sink === undefined) throw new NoSuchSink(name)
    const startedAt = clock.monotonic()
    const tookMs = () => Math.round(clock.monotonic() - startedAt)
    try {
      const said = await sink.deliver(testMessage(publicUrl))
      return { delivered: true, said, ms: tookMs() }
    } catch (error) {
      return { delivered: false, said: error instanceof Error ? error.message : String(error), ms: tookMs() }
    }
  }

  async #look(): Promise<void> {
    const { store, clock } = this.#options
    this.#raised ??= await store.all()
    await this.#keepTaken()
    const { raise, settle } = planAlerts(this.#read(), this.#raised, clock.now())
    await store.raise(raise)
    await store.settle(settle)
    this.#raised = [...this.#raised.filter(({ key }) => !settle.includes(key)), ...raise]
  }

  #read(): readonly Reading[] {
    return this.#options.sources.map(({ name, read }) => ({ source: name, certificates: read() }))
  }

  async #deliver({ sink, delivery }: { readonly sink: AlertSink; readonly delivery: AlertDelivery }): Promise<void> {
    const taken = await delivery.offer(pendingFor(sink.name, this.#raised ?? []))
    if (taken.length === 0) return
    const has = new Set(taken.map(idOf))
    this.#raised = (this.#raised ?? []).map((alert) =>
      has.has(idOf(alert)) ? { ...alert, takenBy: [...alert.takenBy, sink.name] } : alert,
    )
    this.#notKept = [...this.#notKept, { sink: sink.name, alerts: taken }]
    await this.#keepTaken().catch((error: unknown) => {
      this.#options.logger.warn({ err: error, sink: sink.name }, 'Alerts were delivered and could not be kept as such')
    })
  }

  async #keepTaken(): Promise<void> {
    const now = this.#notKept
    for (const { sink, alerts } of now) await this.#options.store.take(sink, alerts)
    this.#notKept = this.#notKept.filter((one) => !now.includes(one))
  }
}

function idOf({ key, threshold }: RaisedAlert): string {
  return `${key}/${threshold}`
}
