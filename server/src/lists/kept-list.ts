// One list for one authority: answered at once from what is known, and read behind. What one authority was told is never
// shown to another: each has its own.
//
// Whole lists are expensive and slow as the slowest member, so there is one under way at most; between them, what is said
// to have changed is read object by object. What nobody has looked at for ten minutes is forgotten.

import type { Freshness } from '@malleus/shared/api/freshness.ts'
import type { Answer } from '../gateway/request.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'
import { Subscribable } from '../lib/subscribable.ts'
import type { AnsweredRow, ChangesSince, KnownList, KnownRow, RowKind, Tellers } from './known-list.ts'
import { changesSince, differsFrom, nothingKnown, withNames, withRows, withWholeAnswer } from './known-list.ts'
import { describeListFailure, isRefusal } from './list-failure.ts'
import type { Reading } from './list-freshness.ts'
import { listFreshness, memberFreshness } from './list-freshness.ts'
import { PATIENCE_MS, soon } from './patience.ts'

/** How Incus is asked, with the authority that this list belongs to. Everything may reject. */
export interface ListSource<Row> {
  /** The whole list; may take as long as Incus waits for members that hang. */
  whole(): Promise<Answer<readonly AnsweredRow<Row>[]> & { readonly tellers?: Tellers }>
  /** Which objects there are, from the cluster database alone; absent where it does not know. */
  names?(): Promise<readonly Omit<AnsweredRow<Row>, 'told'>[]>
  /** One object, asked of the member that it was last known to be on; null when it is no more. */
  one(key: string, lastKnown: KnownRow<Row> | undefined): Promise<AnsweredRow<Row> | null>
}

export interface KeptListOptions<Row> {
  readonly source: ListSource<Row>
  readonly kind: RowKind<Row>
  /** Why a member gives no answer now, as a sentence; null while it does. */
  readonly silence: (member: string) => string | null
  /** The members to tell of; those on which rows are known are told of as well. */
  readonly members: () => readonly string[]
  /** Why nothing can be read at all now, as a sentence; null while there is no such reason. Nobody waits then. */
  readonly loss?: () => string | null
  /** Whether changes are told as they happen, so that whole lists are needed only to be sure. */
  readonly isTold: () => boolean
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** One member's part of a list. */
export interface MemberPart {
  readonly name: string
  readonly freshness: Freshness
  /** How many rows are known to be on it. */
  readonly count: number
}

export interface ListView<Row> extends ChangesSince<Row> {
  /** To ask what has changed since. */
  readonly revision: string
  readonly freshness: Freshness
  readonly members: readonly MemberPart[]
  /** By whom and how the whole list was answered, where that was waited for. */
  readonly answer: Answer<unknown> | null
}

const everyMs = 15_000
const everyMsWhereTold = 60_000
const afterFailureMs = 5_000
const idleMs = 10 * 60_000
/** Changes are collected for this long, and read one by one up to this many. */
const collectMs = 100
const mostOneByOne = 16

/** Publishes when something that a page shows has changed. */
export class KeptList<Row> extends Subscribable<void> {
  readonly #options: KeptListOptions<Row>
  #list: KnownList<Row> = nothingKnown()
  #epoch: string
  #failure: unknown = null
  #failedAt: number | null = null
  #answer: Answer<unknown> | null = null
  #refreshing: Promise<void> | null = null
  #naming: Promise<void> | null = null
  /** Asked for while a whole list was under way that may not have it. */
  #again = false
  /** Some change could not be read: the next who looks has the whole list read again. */
  #isDoubtful = false
  readonly #changed = new Set<string>()
  #collecting: (() => void) | null = null
  #cancelIdle = (): void => {}
  #stopped = false

  constructor(options: KeptListOptions<Row>) {
    super((error) => options.logger.error({ err: error }, 'a listener of a list failed'))
    this.#options = options
    this.#epoch = this.#newEpoch()
  }

  /**
   * What is known, or what of it has changed since an earlier view; never later than a fifth of a second. Rejects only
   * when Incus refuses the list to this authority: old rows must not hide that.
   */
  async view(since: string | undefined): Promise<ListView<Row>> {
    this.#stayAwake()
    let answer: Answer<unknown> | null = null
    if (this.#list.listedAt === null) {
      await soon(this.#options.clock, this.#begin(), this.#loss === null ? PATIENCE_MS : 0)
      if (this.#list.listedAt !== null) answer = this.#answer
    } else if (this.#isDue()) void this.refresh()
    if (isRefusal(this.#failure)) throw this.#failure
    return this.#viewSince(since, answer)
  }

  /** How much of it is on each member, without the rows. Waits for nothing. */
  parts(): readonly MemberPart[] {
    this.#stayAwake()
    if (this.#isDue()) void this.refresh()
    return this.#parts()
  }

  /** Reads the whole list behind; several calls share one reading. Never rejects. Nothing while nobody looks. */
  refresh(): Promise<void> {
    if (this.#stopped) return Promise.resolve()
    this.#refreshing ??= this.#readWhole().finally(() => {
      this.#refreshing = null
      if (!this.#again) return
      this.#again = false
      void this.refresh()
    })
    return this.#refreshing
  }

  /** Something that may have been missed: reads all of it again, once what is under way has come. */
  doubt(): void {
    if (!this.#isLookedAt) return
    if (this.#refreshing === null) void this.refresh()
    else this.#again = true
  }

  /** An object has changed, or is new. */
  changed(key: string): void {
    if (!this.#isLookedAt) return
    this.#changed.add(key)
    this.#collecting ??= this.#options.clock.after(collectMs, () => {
      this.#collecting = null
      void this.#readChanged()
    })
  }

  /** An object is no more. */
  gone(key: string): void {
    if (!this.#isLookedAt) return
    this.#changed.delete(key)
    this.#learn(withRows(this.#list, [], [key], this.#options.clock.now(), this.#options.kind))
  }

  /** A member answers again: what it could not tell is asked for. */
  answersAgain(member: string): void {
    if (this.#list.untold.has(member)) this.doubt()
  }

  stop(): void {
    this.#stopped = true
    this.#forget()
  }

  /** Asks for everything, and for what the database alone gives in case that takes longer. */
  async #begin(): Promise<void> {
    const names = this.#readNames()
    if (this.#refreshing !== null || this.#isDue()) await this.refresh()
    if (this.#list.listedAt === null) await names
  }

  async #readWhole(): Promise<void> {
    const { source, kind, clock, logger } = this.#options
    const epoch = this.#epoch
    const askedAt = clock.now()
    try {
      const answer = await source.whole()
      if (this.#epoch !== epoch) return
      this.#failure = null
      this.#failedAt = null
      this.#isDoubtful = false
      this.#answer = { ...answer, value: null }
      this.#learn(withWholeAnswer(this.#list, answer.value, askedAt, kind, answer.tellers))
      if (this.#changed.size > 0) void this.#readChanged()
    } catch (error) {
      if (this.#epoch !== epoch) return
      logger.info({ err: error }, 'a list could not be read')
      const isNew = this.#failure === null
      this.#failure = error
      this.#failedAt = clock.now()
      if (isRefusal(error)) this.#list = nothingKnown()
      if (isNew) this.publish()
    }
  }

  #readNames(): Promise<void> {
    this.#naming ??= this.#askForNames().finally(() => (this.#naming = null))
    return this.#naming
  }

  async #askForNames(): Promise<void> {
    const { source, clock, logger } = this.#options
    const epoch = this.#epoch
    const askedAt = clock.now()
    if (source.names === undefined) return
    try {
      const named = await source.names()
      if (this.#epoch === epoch) this.#learn(withNames(this.#list, named, askedAt))
    } catch (error) {
      logger.info({ err: error }, 'the names of a list could not be read')
    }
  }

  async #readChanged(): Promise<void> {
    const { source, kind, clock, logger } = this.#options
    // The first whole list is still under way: once it is there.
    if (this.#list.listedAt === null) return
    const keys = [...this.#changed]
    this.#changed.clear()
    if (keys.length > mostOneByOne) {
      this.doubt()
      return
    }
    const epoch = this.#epoch
    const askedAt = clock.now()
    const told: AnsweredRow<Row>[] = []
    const gone: string[] = []
    await Promise.all(
      keys.map(async (key) => {
        try {
          const row = await source.one(key, this.#list.rows.get(key))
          if (row === null) gone.push(key)
          else told.push(row)
        } catch (error) {
          logger.info({ err: error, key }, 'a changed row could not be read')
          this.#isDoubtful = true
        }
      }),
    )
    if (this.#epoch !== epoch) return
    this.#learn(withRows(this.#list, told, gone, askedAt, kind))
  }

  #learn(next: KnownList<Row>): void {
    const before = this.#list
    this.#list = next
    if (differsFrom(next, before)) this.publish()
  }

  #viewSince(since: string | undefined, answer: Answer<unknown> | null): ListView<Row> {
    const list = this.#list
    return {
      ...changesSince(list, this.#revisionIn(since)),
      revision: `${this.#epoch}.${list.revision}`,
      freshness: listFreshness(list, this.#reading),
      members: this.#parts(),
      answer,
    }
  }

  #parts(): readonly MemberPart[] {
    const { members, silence } = this.#options
    const list = this.#list
    const reading = this.#reading
    const counts = new Map<string, number>(members().map((name) => [name, 0]))
    for (const { member } of list.rows.values()) if (member !== '') counts.set(member, (counts.get(member) ?? 0) + 1)
    return [...counts].map(([name, count]) => {
      return { name, count, freshness: memberFreshness(list, name, silence(name), reading) }
    })
  }

  get #reading(): Reading {
    const { clock, isTold } = this.#options
    const failure = this.#loss ?? (this.#failure === null ? null : describeListFailure(this.#failure))
    return { now: clock.now(), everyMs: isTold() ? everyMsWhereTold : everyMs, failure }
  }

  get #loss(): string | null {
    return this.#options.loss?.() ?? null
  }

  #revisionIn(since: string | undefined): number | null {
    const [epoch, revision = ''] = since?.split('.') ?? []
    return epoch === this.#epoch && /^\d{1,15}$/.test(revision) ? Number(revision) : null
  }

  #isDue(): boolean {
    const { clock, isTold } = this.#options
    const now = clock.now()
    if (this.#failedAt !== null) return now - this.#failedAt >= afterFailureMs
    const { listedAt } = this.#list
    return this.#isDoubtful || listedAt === null || now - listedAt >= (isTold() ? everyMsWhereTold : everyMs)
  }

  get #isLookedAt(): boolean {
    return this.#list.listedAt !== null || this.#refreshing !== null
  }

  #stayAwake(): void {
    this.#cancelIdle()
    this.#cancelIdle = this.#options.clock.after(idleMs, () => this.#forget())
  }

  #forget(): void {
    this.#cancelIdle()
    this.#collecting?.()
    this.#collecting = null
    this.#changed.clear()
    this.#list = nothingKnown()
    this.#answer = null
    this.#failure = null
    this.#failedAt = null
    this.#again = false
    this.#isDoubtful = false
    this.#epoch = this.#newEpoch()
  }

  #newEpoch(): string {
    return this.#options.random.bytes(6).toString('hex')
  }
}
