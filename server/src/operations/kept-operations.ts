// What is known of the background work of one cluster, by whomever it was seen, and who saw it. Kept in the database, so
// that it outlives Incus, which forgets an operation five seconds after its end, and this console.
//
// Decision, 2026-11-22: an operation exists only for those who saw it with their own authority. What becomes of it later is
// one fact, whoever hears of it: an end that only the console's own identity was told is told to all who saw it run.
// Somebody who was given a role yesterday therefore finds nothing of last week here; the access history has that. The
// other way, to show what the console's identity saw and to judge who might have seen it too, would have the console guess
// what only Incus knows: which operations an authority may see is its decision, and it does not tell it afterwards.
//
// Decision, 2026-11-22: kept for 30 days, and of each cluster not more than 10,000. When there are more, those that went
// well more than a day ago are forgotten first, then the oldest: what failed is what people come back for. A change is
// written within half a second, an end at once; what a crash loses of it is looked for again at the next start.

import type { Operation } from '@malleus/shared/api/operations.ts'
import { isFinished } from '@malleus/shared/api/operations.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import { Subscribable } from '../lib/subscribable.ts'
import { isOld, nextOperation, resultKeptMs } from './operation-log.ts'
import type { OperationPiece, OperationStore, Sight, StoredOperation } from './operation-store.ts'
import type { ToldOperation } from './told-operation.ts'

export interface KeptOperationsOptions {
  readonly cluster: string
  readonly store: OperationStore
  readonly clock: Clock
  readonly logger: Logger
}

interface Entry {
  operation: Operation
  told: ToldOperation | null
  begun: unknown
  readonly authorities: Set<string>
}

const soonMs = 500
const atOnceMs = 20
const againMs = 5_000
const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const keptMs = 30 * dayMs
const mostKept = 10_000
const letGoEveryMs = 5_000
const mostAtHand = 20_000
const mostInPiece = 2_000

/** Publishes an operation when something new is known of it. */
export class KeptOperations extends Subscribable<Operation> {
  readonly #options: KeptOperationsOptions
  /** What has not ended, and what ended in the last minutes. */
  readonly #entries = new Map<string, Entry>()
  readonly #unwritten = new Set<string>()
  #unwrittenSights: Omit<Sight, 'revision'>[] = []
  #revision = 0
  #writing: Promise<void> = Promise.resolve()
  #flush: { readonly at: number; readonly cancel: () => void } | null = null
  #cancelPrune = () => {}
  #letGoAt = Number.NEGATIVE_INFINITY
  #stopped = false

  constructor(options: KeptOperationsOptions) {
    super((error) => options.logger.error({ err: error }, 'a listener of kept operations failed'))
    this.#options = options
  }

  /**
   * Takes up what an earlier process left: what was running is to be looked for again. Gives what is kept of it. Without
   * the database the console begins with nothing, and says so in its log.
   */
  async open(): Promise<readonly StoredOperation[]> {
    const { cluster, store, clock, logger } = this.#options
    this.#pruneIn(minuteMs)
    try {
      const { rows, sights, revision } = await store.open(cluster, clock.now() - resultKeptMs)
      this.#revision = Math.max(this.#revision, revision)
      for (const { operation, told, begun } of rows) {
        const again: Operation = operation.looking ? { ...operation, status: 'running', looking: false } : operation
        this.#entries.set(operation.id, { operation: again, told, begun, authorities: new Set() })
      }
      for (const { authority, id } of sights) this.#entries.get(id)?.authorities.add(authority)
      return rows
    } catch (error) {
      logger.error({ err: error, cluster }, 'operations of an earlier start could not be read')
      // Beyond all that was counted before: whoever asks for what has changed since must not miss it.
      this.#revision = clock.now()
      return []
    }
  }

  /**
   * An authority was told how an operation is. Gives how it is by all that is known, which may be more, and whether that
   * is news.
   */
  saw(authority: string, operation: Operation, told: ToldOperation | null): { operation: Operation; isNew: boolean } {
    const { id } = operation
    const before = this.#entries.get(id)
    const known = nextOperation(before?.operation, operation)
    const isNew = known !== before?.operation
    const entry = before ?? { operation: known, told, begun: null, authorities: new Set<string>() }
    if (isNew) {
      entry.operation = known
      entry.told = told ?? entry.told
      this.#unwritten.add(id)
    }
    this.#entries.set(id, entry)
    this.#see(entry, authority)
    if (isNew) {
      this.#writeIn(isFinished(known) ? atOnceMs : soonMs)
      this.publish(known)
    }
    return { operation: known, isNew }
  }

  /** Somebody began it here; `begun` is kept for whoever records its end. */
  began(id: string, begun: unknown): void {
    const entry = this.#entries.get(id)
    if (entry === undefined) return
    entry.begun = begun
    this.#unwritten.add(id)
    this.#writeIn(atOnceMs)
  }

  /** What an authority saw of what runs now or ended in the last minutes. */
  seenBy(authority: string): readonly Operation[] {
    return [...this.#entries.values()].flatMap(({ operation, authorities }) =>
      authorities.has(authority) ? [operation] : [],
    )
  }

  /** What an authority saw in the last 30 days, in pieces in the order of change. */
  piece(authority: string, since: number): Promise<OperationPiece> {
    return this.#options.store.piece(this.#options.cluster, authority, since, mostInPiece)
  }

  /** One that an authority saw; null where it saw none. */
  async one(authority: string, id: string): Promise<Omit<StoredOperation, 'begun'> | null> {
    const entry = this.#entries.get(id)
    if (entry !== undefined) return entry.authorities.has(authority) ? entry : null
    return this.#options.store.one(this.#options.cluster, authority, id)
  }

  /** Writes what is not written yet, and nothing more afterwards. */
  async stop(): Promise<void> {
    this.#cancelPrune()
    this.#flush?.cancel()
    await this.#write()
    this.#stopped = true
  }

  #see(entry: Entry, authority: string): void {
    if (entry.authorities.has(authority)) return
    entry.authorities.add(authority)
    this.#unwrittenSights.push({ authority, id: entry.operation.id })
    this.#writeIn(soonMs)
  }

  #writeIn(delayMs: number): void {
    if (this.#stopped) return
    const { clock } = this.#options
    const at = clock.monotonic() + delayMs
    if (this.#flush !== null && this.#flush.at <= at) return
    this.#flush?.cancel()
    this.#flush = { at, cancel: clock.after(delayMs, () => void this.#write()) }
  }

  /** One after the other: what was written later must not be written over. */
  #write(): Promise<void> {
    this.#flush = null
    this.#writing = this.#writing.then(() => this.#writeNow())
    return this.#writing
  }

  async #writeNow(): Promise<void> {
    const { cluster, store, logger } = this.#options
    const ids = [...this.#unwritten]
    const sights = this.#unwrittenSights
    if (this.#stopped || (ids.length === 0 && sights.length === 0)) return
    this.#unwritten.clear()
    this.#unwrittenSights = []
    const changes = ids.flatMap((id) => {
      const entry = this.#entries.get(id)
      return entry === undefined ? [] : [{ ...entry, revision: this.#nextRevision() }]
    })
    try {
      await store.write(
        cluster,
        changes,
        sights.map((sight) => ({ ...sight, revision: this.#nextRevision() })),
      )
      this.#letGo()
    } catch (error) {
      logger.warn({ err: error, cluster }, 'operations could not be kept; it is tried again')
      for (const id of ids) this.#unwritten.add(id)
      this.#unwrittenSights = [...sights, ...this.#unwrittenSights]
      this.#writeIn(againMs)
    }
  }

  #nextRevision(): number {
    this.#revision += 1
    return this.#revision
  }

  /** What ended some minutes ago is in the database and need not be here. */
  #letGo(): void {
    const { clock } = this.#options
    const now = clock.now()
    if (now - this.#letGoAt < letGoEveryMs) return
    this.#letGoAt = now
    const waiting = new Set(this.#unwrittenSights.map(({ id }) => id))
    for (const [id, { operation }] of this.#entries) {
      const isWritten = !this.#unwritten.has(id) && !waiting.has(id)
      const isTooMuch = this.#entries.size > mostAtHand && isFinished(operation) && !operation.looking
      if (isWritten && (isTooMuch || isOld(operation, now))) this.#entries.delete(id)
    }
  }

  #pruneIn(delayMs: number): void {
    const { cluster, store, clock, logger } = this.#options
    this.#cancelPrune = clock.after(delayMs, () => {
      this.#letGo()
      const now = clock.now()
      store.prune(cluster, { since: now - keptMs, wellSince: now - dayMs, most: mostKept }).catch((error: unknown) => {
        logger.warn({ err: error, cluster }, 'old operations could not be forgotten')
      })
      this.#pruneIn(hourMs)
    })
  }
}
