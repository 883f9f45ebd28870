import { X509Certificate } from 'node:crypto'
import type { IncusServer } from '@malleus/shared/incus/server.ts'
import type { KnownMember, MemberDirectory } from '../clusters/member-directory.ts'
import type { Trust } from '../clusters/trust.ts'
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
  /** Hears what was done, for the access history: `followed` a successor, or `advanced` to it. */
  readonly onChange: (what: 'followed' | 'advanced', fingerprint: string) => void
}

/**
 * Lets the pins follow the cluster's certificate. When a member says, over a connection that a pin had verified, that the
 * certificate is another one, that one becomes the next pin; when every member that answers presents it, it becomes the
 * current one and the old one is refused. Where an authority vouches there is nothing to follow.
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

  /** A member presented another certificate than before. */
  presentedChanged(): void {
    const { trust, presented, onChange, logger, cluster } = this.#options
    const { anchor } = trust
    const next = anchor.kind === 'fingerprints' ? anchor.pins.find(({ position }) => position === 'next') : undefined
    if (next === undefined) return
    const answering = this.#answering
    const all = answering.every(({ name }) => {
      const last = presented(name)
      return last !== null && fingerprintOf(last.certificate) === next.fingerprint
    })
    // Who is away may come back with the old one; it then needs the person who replaced the certificate.
    if (answering.length === 0 || !all || !trust.advance()) return
    logger.warn(
      { cluster, fingerprint: next.fingerprint },
      'every server presents the new certificate; the old one is refused',
    )
    onChange('advanced', next.fingerprint)
    this.#keep()
  }

  /**
   * Whether it would push out a successor that some member presents already. One that lies could else, by naming another
   * one again and again, have the others distrusted until only what it names is left.
   */
  #isTakingOver(member: string, fingerprint: string): boolean {
    const { trust, presented, logger, cluster } = this.#options
    const pins = trust.anchor.kind === 'fingerprints' ? trust.anchor.pins : []
    const next = pins.find(({ position }) => position === 'next')
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
