/**
 * The access history: who did what, to what, via what. What cannot be recorded is refused, and what is recorded is
 * chained by hashes, so that a later change is found. It knows nothing of requests; whoever lets something happen asks
 * `intent` first and tells the `outcome` after.
 *
 * One writer, one chain per start. Entries that wait are written together, in one transaction, so a slow disk costs
 * each of them one wait and not one per record. While the store refuses, intents fail at once, everything else waits in
 * a queue of bounded length and is written when the store takes it again.
 */
import type { AuditRecord } from '@malleus/shared/api/audit.ts'
import type { Clock } from '../lib/clock.ts'
import { instant } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'
import { Subscribable } from '../lib/subscribable.ts'
import { AuditUnavailable } from './audit-error.ts'
import type { AuditStore, ChainHead } from './audit-store.ts'
import { ReadCounter } from './read-counter.ts'
import { auditEntry, noHash, placeRecord, recordable } from './record.ts'
import type { AuditEntry, AuditPhase } from './record.ts'
import { StrangerQueue } from './stranger-queue.ts'

export interface AuditLogOptions {
  readonly store: AuditStore
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** `strict`: every read is recorded by itself and waits until it is durable. Default `coalesced`. */
  readonly reads?: 'coalesced' | 'strict'
  /** How long a read may wait for others to be written with it. Default 50 ms. */
  readonly groupMs?: number
  /** Entries waiting at once; a full queue refuses reads and all else that asks first. Default 10 000. */
  readonly mostWaiting?: number
  /** How long an intent waits for the disk before what it announces is refused. Default 5 s. */
  readonly intentDeadlineMs?: number
}

/**
 * Begins a chain: its first record names the last one of the chain before.
 *
 * @throws AuditUnavailable with a sentence for the person who starts the console: one that cannot record does not start.
 */
export async function openAuditLog(options: AuditLogOptions): Promise<AuditLog> {
  try {
    const head = await options.store.head()
    const log = new AuditLog(options, head?.hash ?? noHash)
    await log.begin()
    return log
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new AuditUnavailable(`The access history cannot be written (${reason}), so the console does not start.`, {
      cause: error,
    })
  }
}

interface Waiting {
  readonly entry: AuditEntry
  readonly phase: AuditPhase
  readonly at: number
  readonly settle?: { readonly durable: () => void; readonly refused: (error: AuditUnavailable) => void }
  /** Nobody waits for it any more: what it announces has been refused. */
  abandoned: boolean
}

const BATCH = 500
const STRANGERS_PER_BATCH = 20
const FIRST_RETRY_MS = 250
const MOST_RETRY_MS = 5000

export class AuditLog {
  readonly chain: string
  readonly #options: AuditLogOptions & Required<Pick<AuditLogOptions, 'groupMs' | 'mostWaiting' | 'intentDeadlineMs'>>
  readonly #reads: ReadCounter
  readonly #strangers: StrangerQueue
  readonly #appended = new Subscribable<AuditRecord>()
  #queue: Waiting[] = []
  #head: ChainHead
  /** What was given to the store without an answer: it may be there or not. */
  #inDoubt: { readonly records: readonly AuditRecord[]; readonly waiting: readonly Waiting[] } | undefined
  #writing: Promise<void> | undefined
  /** Somebody asked to be written while a writer was finishing. */
  #again = false
  #cancelNext: (() => void) | undefined
  #failures = 0
  #closed = false

  /** Use `openAuditLog`. */
  constructor(options: AuditLogOptions, previousHead: string) {
    this.#options = { groupMs: 50, mostWaiting: 10_000, intentDeadlineMs: 5000, ...options }
    this.chain = options.random.uuid()
    this.#head = { chain: this.chain, seq: -1, hash: previousHead }
    this.#reads = new ReadCounter(options.clock, (entry) => this.#enqueue(entry, 'outcome', 0))
    this.#strangers = new StrangerQueue(options.clock)
  }

  /** Writes the first record. */
  async begin(): Promise<void> {
    const record = this.#place(auditEntry({ action: 'chain.begin' }), 'genesis', this.#options.clock.now(), this.#head)
    await this.#options.store.append([record])
    this.#head = record
  }

  /**
   * Announces something that is about to be done. Durable when it resolves; nothing may be sent before.
   *
   * @throws AuditUnavailable when it cannot be recorded in time; then it must not be done.
   */
  intent(entry: AuditEntry): Promise<void> {
    return this.#waitFor(entry, 'intent', 0)
  }

  /**
   * How what was announced ended. Never refused: written as soon as the store takes it.
   *
   * @param at when, in milliseconds since 1970, where that is not now
   */
  outcome(entry: AuditEntry, at?: number): void {
    this.#enqueue(entry, 'outcome', 0, undefined, at)
  }

  /**
   * Something that happened without being announced: a refusal, the end of a session, an event of a cluster. A refusal
   * of somebody unknown goes to a queue of its own, one per address and minute, and never fails.
   *
   * @param at when, in milliseconds since 1970, where that is not now
   * @throws AuditUnavailable when too much is waiting already.
   */
  record(entry: AuditEntry, at?: number): void {
    if (entry.actor === null && !entry.decision.allow) {
      if (this.#strangers.add(entry)) this.#schedule(this.#options.groupMs)
      return
    }
    this.#refuseWhenFull()
    this.#enqueue(entry, isOutcome(entry) ? 'outcome' : 'event', this.#options.groupMs, undefined, at)
  }

  /**
   * Somebody looks at something. The first of equal reads in a minute is written with others within 50 ms, the count of
   * the rest at the minute's end; in strict mode each is written, and durable when this resolves.
   *
   * @throws AuditUnavailable when too much is waiting already, and in strict mode when it cannot be recorded.
   */
  async read(entry: AuditEntry): Promise<void> {
    if (this.#options.reads === 'strict') {
      await this.#waitFor(entry, 'outcome', this.#options.groupMs)
      return
    }
    if (!this.#reads.isFirst(entry)) {
      if (this.isFull) throw queueFull()
      return
    }
    if (this.isFull) {
      this.#reads.forget(entry)
      throw queueFull()
    }
    this.#enqueue(entry, 'outcome', this.#options.groupMs)
  }

  /** Hears of every record once it is durable. Returns what ends the subscription. */
  subscribe(listener: (record: AuditRecord) => void): () => void {
    return this.#appended.subscribe(listener)
  }

  /** The last record of this start that is durable. */
  get head(): ChainHead {
    return this.#head
  }

  /** Entries that are not durable yet. */
  get waiting(): number {
    return this.#queue.length + this.#strangers.size + (this.#inDoubt?.waiting.length ?? 0)
  }

  /** Whether the last attempt to write succeeded. */
  get isAvailable(): boolean {
    return this.#failures === 0
  }

  /** Whether a read is to be answered only when `read` has resolved; else it may be recorded right after. */
  get readsWait(): boolean {
    return this.#options.reads === 'strict' || this.isFull
  }

  get isFull(): boolean {
    return this.#queue.length >= this.#options.mostWaiting
  }

  /** Refusals of strangers that share a record with others or have none, since the start. */
  get strangersPassedOver(): number {
    return this.#strangers.passedOver
  }

  /** Writes all that waits and the end of the chain. Resolves when the store has it, or when it will not take it. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#reads.flush()
    this.#enqueue(auditEntry({ action: 'chain.end' }), 'close', 0)
    this.#closed = true
    this.#cancelNext?.()
    for (let tries = 0; this.waiting > 0 && tries < 3; tries += 1) {
      await this.#writing
      await this.#write()
    }
  }

  #waitFor(entry: AuditEntry, phase: AuditPhase, delayMs: number): Promise<void> {
    if (this.isFull) return Promise.reject(queueFull())
    return new Promise((resolve, reject) => {
      const cancelDeadline = this.#options.clock.after(this.#options.intentDeadlineMs, () => {
        waiting.abandoned = true
        reject(new AuditUnavailable(`The access history was not written within ${this.#options.intentDeadlineMs} ms`))
      })
      const settle = {
        durable: () => {
          cancelDeadline()
          resolve()
        },
        refused: (error: AuditUnavailable) => {
          cancelDeadline()
          waiting.abandoned = true
          reject(error)
        },
      }
      const waiting = this.#enqueue(entry, phase, delayMs, settle)
    })
  }

  #enqueue(
    entry: AuditEntry,
    phase: AuditPhase,
    delayMs: number,
    settle?: Waiting['settle'],
    at: number = this.#options.clock.now(),
  ): Waiting {
    const waiting: Waiting = {
      entry: recordable(entry),
      phase,
      at,
      abandoned: false,
      ...(settle && { settle }),
    }
    if (this.#closed) {
      settle?.refused(new AuditUnavailable('The access history has been closed'))
      return waiting
    }
    this.#queue.push(waiting)
    this.#schedule(delayMs)
    return waiting
  }

  #schedule(delayMs: number): void {
    if (this.#closed) return
    if (delayMs === 0) {
      this.#cancelNext?.()
      this.#cancelNext = undefined
      // Those that ask in the same turn are written together.
      queueMicrotask(() => void this.#write())
      return
    }
    this.#cancelNext ??= this.#options.clock.after(delayMs, () => {
      this.#cancelNext = undefined
      void this.#write()
    })
  }

  /** One writer at a time; whoever comes meanwhile is in the next batch. */
  #write(): Promise<void> {
    if (this.#writing !== undefined) {
      this.#again = true
      return this.#writing
    }
    this.#writing = this.#writeAll().finally(() => {
      this.#writing = undefined
      if (!this.#again) return
      this.#again = false
      void this.#write()
    })
    return this.#writing
  }

  async #writeAll(): Promise<void> {
    try {
      await this.#settleDoubt()
      if (this.#failures > 0) await this.#resume()
      for (let batch = this.#nextBatch(); batch.length > 0; batch = this.#nextBatch()) await this.#append(batch)
    } catch (error) {
      this.#failures += 1
      this.#refuseThoseWhoWait(error)
      this.#options.logger.error({ err: error, waiting: this.waiting }, 'The access history cannot be written')
      this.#schedule(Math.min(MOST_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.#failures - 1)))
    }
  }

  /** One small record proves that the store takes records again, and tells later readers of the gap. */
  async #resume(): Promise<void> {
    const entry = auditEntry({
      action: 'chain.resume',
      decision: { allow: true, rule: `after ${this.#failures} failures` },
    })
    await this.#append([{ entry, phase: 'event', at: this.#options.clock.now(), abandoned: true }])
    this.#failures = 0
    this.#options.logger.info({ audit: this.#head }, 'The access history is written again')
  }

  #nextBatch(): readonly Waiting[] {
    const known = this.#queue.splice(0, BATCH).filter(({ abandoned }) => !abandoned)
    const strangers = this.#strangers
      .take(STRANGERS_PER_BATCH)
      .map(({ entry, at }): Waiting => ({ entry: recordable(entry), at, phase: 'outcome', abandoned: false }))
    if (known.length + strangers.length === 0 && this.#queue.length > 0) return this.#nextBatch()
    return [...known, ...strangers]
  }

  async #append(waiting: readonly Waiting[]): Promise<void> {
    const records: AuditRecord[] = []
    for (const { entry, phase, at } of waiting) {
      records.push(this.#place(entry, phase, at, records.at(-1) ?? this.#head))
    }
    this.#inDoubt = { records, waiting }
    await this.#options.store.append(records)
    this.#written()
  }

  /**
   * A store that failed may still have written: a connection can be lost after the commit. What it has now decides
   * whether the batch is repeated or taken as done, so that nothing is there twice.
   */
  async #settleDoubt(): Promise<void> {
    const doubt = this.#inDoubt
    if (doubt === undefined) return
    const head = await this.#options.store.head(this.chain)
    if (head?.hash === doubt.records.at(-1)?.hash) {
      this.#written()
      return
    }
    this.#inDoubt = undefined
    this.#queue.unshift(...doubt.waiting.filter(({ abandoned }) => !abandoned))
  }

  #written(): void {
    const doubt = this.#inDoubt
    const last = doubt?.records.at(-1)
    if (doubt === undefined || last === undefined) return
    this.#inDoubt = undefined
    this.#head = { chain: last.chain, seq: last.seq, hash: last.hash }
    doubt.waiting.forEach((waiting) => {
      // It was announced and then refused, because the answer of the disk came too late: nothing was sent.
      if (waiting.abandoned && waiting.phase === 'intent') this.outcome(notDone(waiting.entry))
      waiting.settle?.durable()
    })
    for (const record of doubt.records) this.#appended.publish(record)
  }

  #refuseThoseWhoWait(cause: unknown): void {
    const all = [...(this.#inDoubt?.waiting ?? []), ...this.#queue]
    for (const { settle } of all)
      settle?.refused(new AuditUnavailable('The access history cannot be written', { cause }))
    this.#queue = this.#queue.filter(({ abandoned }) => !abandoned)
  }

  #refuseWhenFull(): void {
    if (this.isFull) throw queueFull()
  }

  #place(entry: AuditEntry, phase: AuditPhase, at: number, before: ChainHead): AuditRecord {
    return placeRecord(entry, phase, instant(at), { chain: this.chain, seq: before.seq + 1, prev: before.hash })
  }
}

function isOutcome({ decision, out, source }: AuditEntry): boolean {
  return source === 'console' && (!decision.allow || out !== null)
}

function queueFull(): AuditUnavailable {
  return new AuditUnavailable('Too many records wait to be written')
}

function notDone(entry: AuditEntry): AuditEntry {
  const out = { status: 503, op: null, opStatus: null, bytes: null, ms: null, code: 'audit_unavailable' }
  return { ...entry, out }
}
