/**
 * Follows the access history and notes by what each record can be found. It only reads the history: a record is written
 * without waiting for it, and what is not noted yet is looked through by itself (`history-search.ts`).
 */
import type { AuditRecord } from '@malleus/shared/api/audit.ts'
import type { Clock } from '../lib/clock.ts'
import { sleep } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { AuditStore, StoredLine } from './audit-store.ts'
import { parseRecord } from './record.ts'
import type { SearchStore, Tally, Term } from './search-store.ts'
import { entryOf, minuteOf, newAddress, searchRules, talliesOf, termsOf } from './search-terms.ts'

export interface SearchIndexOptions {
  readonly history: Pick<AuditStore, 'after'>
  readonly store: SearchStore
  readonly clock: Clock
  readonly logger: Logger
  /** How long records may wait to be noted together. Default 500 ms. */
  readonly groupMs?: number
}

const BATCH = 500
/** Between two full batches: making all of it anew is not to keep a processor from those who ask. */
const BREATH_MS = 5
const RETRY_MS = 5_000
const MOST_KNOWN = 20_000

export class SearchIndex {
  readonly #options: SearchIndexOptions
  readonly #stopped = new AbortController()
  /** Ids that were asked for lately, by field and value. */
  readonly #ids = new Map<string, number>()
  #position = 0
  #isReady = false
  #running: Promise<void> | undefined
  #again = false

  constructor(options: SearchIndexOptions) {
    this.#options = options
  }

  /** The last record that can be found by what it says. */
  get position(): number {
    return this.#position
  }

  /** Notes what is not noted yet, soon. Call it whenever something was recorded; returns at once. */
  follow(): void {
    this.#again = true
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
  }

  /** Notes all that is there now. */
  async catchUp(): Promise<void> {
    if (!this.#isReady) await this.#begin()
    while (!this.#stopped.signal.aborted && (await this.#next()))
      await sleep(this.#options.clock, BREATH_MS, this.#stopped.signal)
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { clock, logger, groupMs = 500 } = this.#options
    const { signal } = this.#stopped
    while (this.#again && !signal.aborted) {
      this.#again = false
      await sleep(clock, groupMs, signal)
      try {
        await this.catchUp()
      } catch (error) {
        if (signal.aborted) return
        logger.warn({ err: error }, 'The access history could not be made ready to be searched')
        this.#again = true
        this.#isReady = false
        this.#ids.clear()
        await sleep(clock, RETRY_MS, signal)
      }
    }
  }

  async #begin(): Promise<void> {
    const { store } = this.#options
    this.#position = await store.progress(searchRules)
    if (this.#position === 0) await store.forget(searchRules)
    this.#isReady = true
  }

  /** @returns whether there may be more. */
  async #next(): Promise<boolean> {
    const { history, store } = this.#options
    const lines = await history.after(this.#position, BATCH)
    const last = lines.at(-1)
    if (last === undefined) return false
    const records = lines.map(placed).filter((it) => it !== undefined)
    await this.#know(records.flatMap(({ record }) => termsOf(record)))
    const postings: { term: number; position: number }[] = []
    const tallies = new Tallies()
    const entered = new Set<number>()
    for (const { record, position } of records) {
      const terms = [...termsOf(record)]
      if (await this.#isNewAddress(record, position, entered)) terms.push(newAddress)
      for (const term of terms) postings.push({ term: this.#idOf(term), position })
      const views = terms.filter(({ field }) => field === 'view').map(({ value }) => value)
      tallies.add(talliesOf(record, views))
    }
    const minutes = new Map<number, number>()
    for (const { record, position } of records) {
      const minute = minuteOf(record)
      if (!minutes.has(minute)) minutes.set(minute, position)
    }
    await store.add({
      postings,
      minutes: [...minutes].map(([minute, position]) => ({ minute, position })),
      tallies: tallies.all,
      position: last.position,
    })
    this.#position = last.position
    return lines.length === BATCH
  }

  async #isNewAddress(record: AuditRecord, position: number, entered: Set<number>): Promise<boolean> {
    const entry = entryOf(record)
    if (entry === null) return false
    const id = this.#idOf(entry)
    if (entered.has(id)) return false
    entered.add(id)
    const first = await this.#options.store.firstOf(id)
    return first === null || first >= position
  }

  async #know(terms: readonly Term[]): Promise<void> {
    const unknown = new Map([...terms, newAddress].map((term) => [keyOf(term), term]))
    for (const key of unknown.keys()) if (this.#ids.has(key)) unknown.delete(key)
    if (unknown.size === 0) return
    if (this.#ids.size > MOST_KNOWN) {
      this.#ids.clear()
      await this.#know(terms)
      return
    }
    const ids = await this.#options.store.idsOf([...unknown.values()])
    ;[...unknown.keys()].forEach((key, at) => this.#ids.set(key, ids[at] ?? 0))
  }

  #idOf(term: Term): number {
    return this.#ids.get(keyOf(term)) ?? 0
  }
}

/** A line that is no record any more was tampered with: the verification names it, the search goes on without it. */
function placed({ position, text }: StoredLine): { record: AuditRecord; position: number } | undefined {
  const record = parseRecord(text)
  return record === undefined ? undefined : { record, position }
}

class Tallies {
  readonly #all = new Map<string, Tally>()

  add(tallies: readonly Tally[]): void {
    for (const tally of tallies) {
      const { records, ...rest } = tally
      const key = JSON.stringify(rest)
      this.#all.set(key, { ...tally, records: (this.#all.get(key)?.records ?? 0) + records })
    }
  }

  get all(): readonly Tally[] {
    return [...this.#all.values()]
  }
}

function keyOf({ field, value }: Term): string {
  return `${field}\0${value}`
}
