import { X509Certificate } from 'node:crypto'
import { IncusTrustEntry } from '@malleus/shared/incus/certificate.ts'
import { listOf } from '@malleus/shared/incus/reply.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { KnownCertificate } from './known-certificate.ts'

export interface TrustedCertificatesOptions {
  readonly cluster: string
  readonly gateway: Pick<Gateway, 'read'>
  /** Called when others are trusted than before. */
  readonly onChange: () => void
  readonly clock: Clock
  readonly logger: Logger
}

const everyMs = 10 * 60_000
const retryMs = 60_000
/** Those who change much at once are waited for. */
const hurryMs = 1_000

/**
 * The certificates of those whom a cluster trusts, as the console's own identity may see them: read in the background,
 * rarely, since they end in days. Of members among themselves nothing is told, who all have the cluster's.
 */
export class TrustedCertificates {
  readonly #options: TrustedCertificatesOptions
  #known: readonly KnownCertificate[] | null = null
  #stopped = false
  #cancel = () => {}

  constructor(options: TrustedCertificatesOptions) {
    this.#options = options
  }

  /** Null until they were read; then as they were the last time. */
  get known(): readonly KnownCertificate[] | null {
    return this.#known
  }

  start(): void {
    void this.#readOnce()
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  /** Somebody is trusted, or no longer: they are read again in a moment. */
  hurry(): void {
    this.#planRead(hurryMs)
  }

  async #readOnce(): Promise<void> {
    const { cluster, gateway, logger, onChange } = this.#options
    const before = JSON.stringify(this.#known)
    let next = everyMs
    try {
      const { value } = await gateway.read({
        class: 'read',
        scope: { kind: 'console' },
        target: { kind: 'any' },
        path: '/certificates',
        query: { recursion: '1' },
        parse: listOf(IncusTrustEntry),
      })
      this.#known = value.flatMap((entry) => knownOf(cluster, entry))
    } catch (error) {
      next = retryMs
      logger.debug({ err: error, cluster }, 'the certificates that are trusted could not be read')
    }
    this.#planRead(next)
    if (JSON.stringify(this.#known) !== before) onChange()
  }

  #planRead(inMs: number): void {
    this.#cancel()
    if (!this.#stopped) this.#cancel = this.#options.clock.after(inMs, () => void this.#readOnce())
  }
}

function knownOf(cluster: string, { fingerprint, name, type, certificate }: IncusTrustEntry): KnownCertificate[] {
  if (type === 'server' || typeof certificate !== 'string') return []
  try {
    const expiresAt = new X509Certificate(certificate).validToDate.getTime()
    return [{ kind: 'trust-entry', cluster, name: name ?? fingerprint.slice(0, 12), fingerprint, expiresAt }]
  } catch {
    // Incus keeps what it was given; what cannot be read cannot be told of either.
    return []
  }
}
