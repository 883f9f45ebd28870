import type { KeyObject } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'
import { instant, sleep } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { AttestationStore } from './attestation-store.ts'
import type { AuditStore, ChainHead } from './audit-store.ts'
import { verifyHistory } from './verify-history.ts'

/** How the last complete check of the access history ended; times as they go over the wire. */
export interface VerificationReport {
  readonly ok: boolean
  readonly at: string
  readonly records: number
  readonly message: string | null
}

export interface HistoryVerificationOptions {
  readonly store: Pick<AuditStore, 'after' | 'ofChain'>
  readonly attestations: Pick<AttestationStore, 'after'>
  /** By which the attestations were signed. */
  readonly key: KeyObject
  /** The last record that this start has written, which therefore has to be there. */
  readonly head: () => ChainHead
  readonly clock: Clock
  readonly logger: Logger
  /** From the end of one check to the begin of the next. Default one hour. */
  readonly everyMs?: number
}

const PAGE = 50
const BREATH_MS = 5

/** Checks the whole history from its first record, behind everything else, at the start and every hour. */
export class HistoryVerification {
  readonly #options: HistoryVerificationOptions
  readonly #stopped = new AbortController()
  #report: VerificationReport | null = null
  #running: Promise<void> | undefined

  constructor(options: HistoryVerificationOptions) {
    this.#options = options
  }

  /** Null until the first check is complete. */
  get report(): VerificationReport | null {
    return this.#report
  }

  /** Begins; returns at once. */
  start(): void {
    this.#running ??= this.#repeat()
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#running
  }

  /** One complete check. Leaves the event loop alone between pages. */
  async verify(): Promise<VerificationReport> {
    const { store, attestations, key, clock, logger } = this.#options
    const { breach, records } = await verifyHistory({
      records: store,
      attestations,
      key,
      head: this.#options.head(),
      page: PAGE,
      between: async () => {
        await sleep(clock, BREATH_MS, this.#stopped.signal)
        return this.#stopped.signal.aborted
      },
    })
    if (breach !== null) logger.error({ breach }, 'The access history has been changed')
    return { ok: breach === null, at: instant(clock.now()), records, message: breach?.message ?? null }
  }

  async #repeat(): Promise<void> {
    const { clock, logger, everyMs = 3_600_000 } = this.#options
    while (!this.#stopped.signal.aborted) {
      try {
        const report = await this.verify()
        if (!this.#stopped.signal.aborted) this.#report = report
      } catch (error) {
        // The store cannot be read now; the last report stands, with its time.
        logger.warn({ err: error }, 'The access history could not be checked')
      }
      await sleep(clock, everyMs, this.#stopped.signal)
    }
  }
}
