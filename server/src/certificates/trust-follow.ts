import { X509Certificate } from 'node:crypto'
import type { IncusServer } from '@malleus/shared/incus/server.ts'
import type { KnownMember, MemberDirectory } from '../clusters/member-directory.ts'
import type { Pin, Trust } from '../clusters/trust.ts'
import { fingerprintOf } from '../clusters/trust.ts'
import type { HealthBoard } from '../health/health-board.ts'
import type { Clock } from '../lib/clock.ts'
import { instant } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { LastPresented } from './cluster-certificates.ts'
import type { PinStore } from './pin-store.ts'

export interface TrustFollowerOptions {
  readonly cluster: string
  /** The pins of the configuration as text; followed ones are forgotten when it changes. */
  readonly configured: string
  readonly trust: Trust
  readonly directory: MemberDirectory
  readonly board: HealthBoard
  readonly presented: (member: string) => Pick<LastPresented, 'certificate'> | null
  readonly store: PinStore
  readonly clock: Clock
  readonly logger: Logger
  /** Hears what was done, for the access history. */
  readonly onChange: (what: PinChange, fingerprint: string) => void
}

/** `followed` a successor, `advanced` to it, or `dropped` it again. */
export type PinChange = 'followed' | 'advanced' | 'dropped'

/**
 * Lets the pins follow the cluster's certificate. When a member says, over a connection that a pin had verified, that the
 * certificate is another one, that one becomes the next pin; when every member presents it, it becomes the current one
 * and the old one is refused. Where an authority vouches there is nothing to follow.
 *
 * Decision, 2026-11-22: a member that is away keeps the old pin, for it may come back with the old certificate, and then
 * it is to be seen as one that was left behind and not as a stranger. Whoever does not want to wait for it drops the old
 * pin by hand.
 */
export class TrustFollower {
  readonly #options: TrustFollowerOptions

  constructor(options: TrustFollowerOptions) {
    this.#options = options
  }

  /** Takes what a member said of itself. It must have been said to the console's identity, over a verified connection. */
  heard(member: string, server: Pick<IncusServer, 'auth' | 'environment'>): void {
    const { trust, clock, onChange, logger, cluster } = this.#options
    const pem = server.environment?.certificate
    if (server.auth !== 'trusted' || typeof pem !== 'string') return
    const fingerprint = fingerprintIn(pem)
    if (fingerprint === null || this.#isTakingOver(member, fingerprint)) return
    if (trust.follow(fingerprint, `announced by ${member} on ${instant(clock.now()).slice(0, 10)}`)) {
      logger.warn({ cluster, member, fingerprint }, 'the cluster has a new certificate, which is trusted from now on')
      onChange('followed', fingerprint)
      this.#keep()
    }
    this.presentedChanged()
  }

  /** A person says which certificate comes next; false when it is accepted already, or an authority vouches. */
  expect(fingerprint: string, from: string): boolean {
    const { trust, onChange, logger, cluster } = this.#options
    if (!trust.follow(fingerprint, from)) return false
    logger.warn({ cluster, fingerprint }, 'a certificate is expected, and trusted from now on')
    onChange('followed', fingerprint)
    this.#keep()
    return true
  }

  /** The successor is not accepted any more; false when there is none, or it is not that one. */
  dropNext(fingerprint?: string): boolean {
    const { trust, onChange, logger, cluster } = this.#options
    const next = this.#next?.fingerprint
    if (next === undefined || (fingerprint !== undefined && next !== fingerprint) || !trust.dropNext()) return false
    logger.warn({ cluster, fingerprint: next }, 'the certificate that was expected is refused from now on')
    onChange('dropped', next)
    this.#keep()
    return true
  }

  /** The old certificate is refused from now on, whoever still presents it; false when there is no successor. */
  dropCurrent(): boolean {
    return this.#advance(false, 'the old certificate is refused, as somebody asked')
  }

  /** A member presented another certificate than before. */
  presentedChanged(): void {
    const { presented, directory } = this.#options
    const next = this.#next
    if (next === undefined) return
    const all = directory.list().every(({ name, contacted }) => {
      const last = contacted ? presented(name) : null
      return !contacted || (last !== null && fingerprintOf(last.certificate) === next.fingerprint)
    })
    if (this.#answering.length > 0 && all) {
      this.#advance(true, 'every server presents the new certificate; the old one is refused')
    }
  }

  get #next(): Pin | undefined {
    const { anchor } = this.#options.trust
    return anchor.kind === 'fingerprints' ? anchor.pins.find(({ position }) => position === 'next') : undefined
  }

  #advance(moved: boolean, why: string): boolean {
    const { trust, onChange, logger, cluster } = this.#options
    const next = this.#next
    if (next === undefined || !trust.advance(moved)) return false
    logger.warn({ cluster, fingerprint: next.fingerprint }, why)
    onChange('advanced', next.fingerprint)
    this.#keep()
    return true
  }

  /**
   * Whether it would push out a successor that some member presents already. One that lies could else, by naming another
   * one again and again, have the others distrusted until only what it names is left.
   */
  #isTakingOver(member: string, fingerprint: string): boolean {
    const { trust, presented, logger, cluster } = this.#options
    const pins = trust.anchor.kind === 'fingerprints' ? trust.anchor.pins : []
    const next = this.#next
    if (next === undefined || pins.some((pin) => pin.fingerprint === fingerprint)) return false
    const isPresented = this.#answering.some(({ name }) => {
      const last = presented(name)
      return last !== null && fingerprintOf(last.certificate) === next.fingerprint
    })
    if (isPresented)
      logger.warn({ cluster, member, fingerprint }, 'a certificate was announced while another takes over')
    return isPresented
  }

  get #answering(): readonly KnownMember[] {
    const { directory, board } = this.#options
    return directory.list().filter(({ name, contacted }) => {
      const { standing } = board.current(name)
      return contacted && (standing === 'healthy' || standing === 'probation')
    })
  }

  #keep(): void {
    const { trust, store, cluster, configured, clock, logger } = this.#options
    if (trust.anchor.kind !== 'fingerprints') return
    store
      .write(cluster, configured, trust.anchor.pins, clock.now())
      .catch((error: unknown) => logger.error({ error, cluster }, 'the followed certificate could not be stored'))
  }
}

function fingerprintIn(pem: string): string | null {
  try {
    return fingerprintOf(new X509Certificate(pem))
  } catch {
    return null
  }
}
