// Orders of certificates that were asked for here.
//
// Incus orders within the request that changes a setting of ACME, and answers when the authority has: that takes from
// seconds to many minutes. Nobody's page waits so long, so the request is sent behind, and what becomes of it is kept:
// the page may be closed, and the console may start anew. It goes to the server that leads the database, which is the one
// that orders. An order that fails is taken back by Incus in its database and not in what the servers show; the settings
// that were are then written again, so that both are the same (measured with 6.0.4).

import type { AcmeOrder } from '@malleus/shared/api/acme.ts'
import type { Operation } from '@malleus/shared/api/operations.ts'
import { MemberError, OutcomeUnknown } from '../gateway/member-error.ts'
import type { Scope } from '../gateway/scope.ts'
import type { Clock } from '../lib/clock.ts'
import { instant, sleep } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'
import type { ServerConfig, SettingsRead, WantedSettings } from '../server-config/server-config.ts'
import { changesBack } from './acme-settings.ts'
import type { AcmeOrderStore, KeptOrder } from './acme-order-store.ts'
import type { OrderFailure } from './lego-words.ts'
import { orderFailure, secretsIn } from './lego-words.ts'

/** An order is under way already. */
export class OrderUnderWay extends Error {
  override readonly name = 'OrderUnderWay'
  readonly code = 'already_running'
}

/** What a server that answers presents. */
export interface PresentedNow {
  readonly member: string
  readonly fingerprint: string
}

export interface AcmeOrdersPorts {
  readonly cluster: string
  readonly serverConfig: Pick<ServerConfig, 'check' | 'change'>
  /** The server that leads the database, and orders; null while it is not known. */
  readonly leader: () => string | null
  /** Incus's own work on the certificate, as far as it is known, the newest first. */
  readonly renewals: () => Promise<readonly Operation[]>
  /** Of every server that answers. */
  readonly presented: () => readonly PresentedNow[]
  /** Looks at what they present now rather than later. */
  readonly lookAgain: () => void
  readonly store: AcmeOrderStore
  /** Hears that an order has come further. */
  readonly onChange: () => void
  /** Writes the end of an order into the access history; `begun` is what `begin` was given. */
  readonly onEnd: (order: AcmeOrder, begun: unknown) => void
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export interface OrderWanted {
  readonly kind: AcmeOrder['kind']
  readonly domain: string
  readonly settings: WantedSettings['settings']
  readonly shown?: WantedSettings['shown']
  readonly scope: Scope
  /** The name of who asks. */
  readonly by: string
  /** What the history has of it. */
  readonly begun: unknown
}

/** An authority may take minutes, above all until a zone has spread. */
const orderWithinMs = 10 * 60_000
/** How long a lost order is looked for when Incus knows of none. */
const lookForMs = 60_000
const lookEveryMs = 2_000
const spreadWithinMs = 30_000
const spreadEveryMs = 500

export class AcmeOrders {
  readonly #ports: AcmeOrdersPorts
  readonly #stopped = new AbortController()
  #latest: KeptOrder | null = null
  #isBeginning = false

  constructor(ports: AcmeOrdersPorts) {
    this.#ports = ports
  }

  /** Takes up what an earlier process left: an order that was under way is looked for. */
  async open(): Promise<void> {
    const { store, cluster, logger } = this.#ports
    try {
      this.#latest = await store.read(cluster)
    } catch (error) {
      logger.error({ err: error, cluster }, 'the latest order of a certificate could not be read')
      return
    }
    if (this.#latest === null || this.#latest.order.endedAt !== null) return
    this.#tell({
      phase: 'looking',
      line: 'This console was started anew. What became of the order is being looked for.',
    })
    void this.#lookFor(null)
  }

  stop(): void {
    this.#stopped.abort()
  }

  get latest(): AcmeOrder | null {
    return this.#latest?.order ?? null
  }

  get #isUnderWay(): boolean {
    return this.#isBeginning || (this.#latest !== null && this.#latest.order.endedAt === null)
  }

  /**
   * Begins an order and gives it back while it goes on.
   *
   * @throws OrderUnderWay, and what `ServerConfig.check` throws
   */
  async begin(wanted: OrderWanted): Promise<AcmeOrder> {
    if (this.#isUnderWay) throw new OrderUnderWay('Another order is under way. Wait until it has ended.')
    this.#isBeginning = true
    try {
      const { serverConfig, leader, renewals, store, cluster, clock, random } = this.#ports
      const server = leader()
      const change: WantedSettings = {
        settings: wanted.settings,
        ...(wanted.shown && { shown: wanted.shown }),
        ...(server !== null && { member: server }),
      }
      const before = await serverConfig.check(wanted.scope, change)
      const order: AcmeOrder = {
        id: random.uuid(),
        kind: wanted.kind,
        domain: wanted.domain,
        by: wanted.by,
        startedAt: instant(clock.now()),
        endedAt: null,
        phase: 'ordering',
        line: firstLine(wanted, before.via),
        error: null,
        advice: null,
      }
      const kept = {
        order,
        fingerprintsBefore: this.#fingerprints(),
        renewalsBefore: (await renewals()).map(({ id }) => id),
        begun: wanted.begun,
      }
      // Before anything is sent: what is not known of after a crash could not be followed.
      await store.write(cluster, kept)
      this.#latest = kept
      this.#ports.onChange()
      void this.#carryOut(wanted, { ...change, member: before.via }, before)
      return order
    } finally {
      this.#isBeginning = false
    }
  }

  async #carryOut({ kind, scope }: OrderWanted, change: WantedSettings, before: SettingsRead): Promise<void> {
    const { serverConfig } = this.#ports
    try {
      const tells = kind === 'turn-off' ? {} : { deadlineMs: orderWithinMs, settingsTell: false }
      const { written } = await serverConfig.change(scope, { ...change, ...tells })
      if (kind === 'turn-off') this.#end('done', 'The servers do not renew the certificate themselves any more.')
      else if (!written) this.#end('done', 'Everything was so already, so nothing was ordered.')
      else await this.#spread()
    } catch (error) {
      const takeBack = () => this.#takeBack(scope, change, before)
      if (error instanceof OutcomeUnknown) {
        this.#tell({ phase: 'looking', line: 'No answer came. What became of the order is being looked for.' })
        await this.#lookFor(takeBack)
      } else {
        await this.#fail(await this.#failureOf(error, change, before), takeBack)
      }
    }
  }

  /** The operation has the whole of what Incus said; of an answer only the beginning and the end are kept. */
  async #failureOf(error: unknown, change: WantedSettings, before: SettingsRead): Promise<OrderFailure> {
    const said = error instanceof Error ? error.message : String(error)
    const isOfOrder = error instanceof MemberError && error.status === 500
    const operation = isOfOrder ? await this.#renewal() : undefined
    return orderFailure(operation?.error ?? said, secretsIn(change.settings, before.config))
  }

  async #fail({ error, advice }: OrderFailure, takeBack: (() => Promise<boolean>) | null): Promise<void> {
    const isBack = takeBack === null ? null : await takeBack()
    this.#end('failed', `No certificate was issued. ${settingsAfter(isBack)}`, { error, advice })
  }

  async #takeBack(scope: Scope, change: WantedSettings, before: SettingsRead): Promise<boolean> {
    const { serverConfig, logger, cluster } = this.#ports
    try {
      const { member } = change
      await serverConfig.change(scope, {
        settings: changesBack(change.settings, before.config),
        ...(member !== undefined && { member }),
      })
      return true
    } catch (error) {
      logger.error({ err: error, cluster }, 'the settings could not be put back after an order that failed')
      return false
    }
  }

  /** What Incus knows of the order decides; where it knows nothing, what the servers present does. */
  async #lookFor(takeBack: (() => Promise<boolean>) | null): Promise<void> {
    const { clock } = this.#ports
    const end = clock.monotonic() + orderWithinMs
    let giveUpAt = clock.monotonic() + lookForMs
    while (!this.#stopped.signal.aborted) {
      const operation = await this.#renewal()
      if (operation?.status === 'success') return this.#spread()
      if (operation?.status === 'failure') return this.#fail(orderFailure(operation.error ?? ''), takeBack)
      if (this.#renewed().length > 0) return this.#spread()
      const now = clock.monotonic()
      if (operation !== undefined && operation.status !== 'unknown') giveUpAt = now + lookForMs
      if (now >= Math.min(giveUpAt, end)) {
        const hint = 'The servers still present the certificate that they had.'
        return this.#end('unknown', `Nobody saw how the order ended. ${hint}`)
      }
      await sleep(clock, lookEveryMs, this.#stopped.signal)
    }
  }

  /** Watches the servers take the new certificate up. */
  async #spread(): Promise<void> {
    const { clock, presented, lookAgain } = this.#ports
    const end = clock.monotonic() + spreadWithinMs
    lookAgain()
    while (!this.#stopped.signal.aborted) {
      const [renewed, all] = [this.#renewed().length, presented().length]
      if (all > 0 && renewed === all) {
        return this.#end(
          'done',
          `The certificate was issued, and ${all === 1 ? 'the server presents' : `all ${all} servers present`} it.`,
        )
      }
      if (clock.monotonic() >= end) {
        return this.#end('done', `The certificate was issued. ${renewed} of ${all} servers were seen to present it.`)
      }
      this.#tell({ phase: 'spreading', line: `The certificate was issued. ${renewed} of ${all} servers present it.` })
      await sleep(clock, spreadEveryMs, this.#stopped.signal)
    }
  }

  #renewed(): readonly PresentedNow[] {
    const before = this.#latest?.fingerprintsBefore ?? []
    return this.#ports.presented().filter(({ fingerprint }) => !before.includes(fingerprint))
  }

  #fingerprints(): readonly string[] {
    return [...new Set(this.#ports.presented().map(({ fingerprint }) => fingerprint))]
  }

  /** What Incus is known to do, or to have done, for the latest order. */
  async #renewal(): Promise<Operation | undefined> {
    const before = this.#latest?.renewalsBefore ?? []
    return (await this.#ports.renewals()).find(({ id }) => !before.includes(id))
  }

  #end(phase: 'done' | 'failed' | 'unknown', line: string, why?: OrderFailure): void {
    if (this.#stopped.signal.aborted) return
    this.#tell({ phase, line, endedAt: instant(this.#ports.clock.now()), ...why })
    if (this.#latest !== null) this.#ports.onEnd(this.#latest.order, this.#latest.begun)
  }

  #tell(news: Partial<AcmeOrder>): void {
    if (this.#latest === null) return
    const order = { ...this.#latest.order, ...news }
    if (order.line === this.#latest.order.line && order.phase === this.#latest.order.phase) return
    this.#latest = { ...this.#latest, order }
    const { store, cluster, logger, onChange } = this.#ports
    store.write(cluster, this.#latest).catch((error: unknown) => {
      logger.error({ err: error, cluster }, 'how far an order of a certificate is could not be kept')
    })
    onChange()
  }
}

function settingsAfter(isBack: boolean | null): string {
  if (isBack === null) return 'Look at whether the settings are as they should be.'
  if (isBack) return 'The settings are as they were before.'
  return 'The settings could not be put back: the servers show the new ones, and forget them when they start anew.'
}

function firstLine({ kind, domain }: OrderWanted, server: string): string {
  if (kind === 'turn-off') return `${server} is told not to renew the certificate any more.`
  return `${server} orders a certificate for ${domain}. The authority answers in its own time.`
}
