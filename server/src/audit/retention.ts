import { sleep } from '../lib/clock.ts'
import type { Clock } from '../lib/clock.ts'
import { instant } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { AuditLog } from './audit-log.ts'
import type { PruneOptions } from './prune.ts'
import { pruneHistory } from './prune.ts'
import { auditEntry } from './record.ts'

export interface RetentionOptions extends Pick<PruneOptions, 'records' | 'attestations' | 'signing'> {
  /** How long records of a source are kept, in days; null for ever. */
  readonly days: Readonly<Record<'console' | 'incus', number | null>>
  readonly history: Pick<AuditLog, 'record'>
  readonly clock: Clock
  readonly logger: Logger
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const BREATH_MS = 20

/** Prunes every hour what has been kept long enough, behind everything else, and records that it did. */
export class Retention {
  readonly #options: RetentionOptions
  readonly #stopped = new AbortController()
  readonly #from = new Map<string, number>()
  #running: Promise<void> | undefined

  constructor(options: RetentionOptions) {
    this.#options = options
  }

  /** Begins, unless everything is kept for ever; returns at once. */
  start(): void {
    const { console, incus } = this.#options.days
    if (console !== null || incus !== null) this.#running ??= this.#repeat()
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#running
  }

  async #repeat(): Promise<void> {
    const { clock } = this.#options
    while (!this.#stopped.signal.aborted) {
      for (const source of ['console', 'incus'] as const) await this.#prune(source)
      await sleep(clock, HOUR_MS, this.#stopped.signal)
    }
  }

  async #prune(source: 'console' | 'incus'): Promise<void> {
    const { days, clock, logger, history } = this.#options
    const kept = days[source]
    if (kept === null) return
    const before = clock.now() - kept * DAY_MS
    try {
      const { count, from } = await pruneHistory({
        ...this.#options,
        before,
        source,
        from: this.#from.get(source) ?? 0,
        between: async () => {
          await sleep(clock, BREATH_MS, this.#stopped.signal)
          return this.#stopped.signal.aborted
        },
      })
      this.#from.set(source, from)
      if (count === 0) return
      const rule = `${source} records are kept for ${kept} days`
      history.record(auditEntry({ action: 'audit.prune', object: instant(before), decision: { allow: true, rule } }))
      logger.info({ source, count, before: instant(before) }, 'old records were pruned')
    } catch (error) {
      logger.error({ err: error, source }, 'old records could not be pruned')
    }
  }
}
