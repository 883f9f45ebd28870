/**
 * The record of probes of one cluster: what each member's probes showed, phase by phase, for thirty days.
 *
 * Decision, 2026-11-22: it is kept four times, in pieces of four lengths, one for each range that is drawn, so that each
 * has 336 to 480 points and is read as it stands.
 *
 * | range | pieces of | kept for |
 * | --- | --- | --- |
 * | 1 h | 10 s | 1 h |
 * | 24 h | 3 min | 24 h |
 * | 7 days | 30 min | 7 days |
 * | 30 days | 2 h | 30 days |
 *
 * A piece is a histogram of each phase rather than a few percentiles: percentiles of percentiles mean nothing, and with
 * histograms those of a whole month are right to three per cent. Single questions are not kept: 50 members are asked
 * 110 times a second, and of those that failed the changes of standing tell why. A member has 1,540 pieces of 50 to 370
 * bytes, so 50 members take 77,000 rows: 24 MB while all is well, and 38 MB if their answers vary from 1 ms to seconds
 * (measured). It grows with the members and with nothing else.
 *
 * Each probe is counted in its open piece of all four lengths. Pieces are written when they are over, and the long ones
 * once a minute too, so that a console that is killed loses ten seconds of the finest and a minute of the others. After
 * a restart an open piece is continued. A wall clock that is set back writes over what was noted for that time.
 */
import type { HealthRange } from '@malleus/shared/api/member-health.ts'
import type { ProbeRecord } from '@malleus/shared/api/members.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import { WriteBehind } from '../lib/write-behind.ts'
import type { KeptPiece, ProbeHistoryStore } from './probe-history-store.ts'
import { ProbePiece } from './probe-piece.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** How far each range goes back, and in pieces of which length. */
export const ranges: Readonly<Record<HealthRange, { readonly lengthMs: number; readonly pieceMs: number }>> = {
  '1h': { lengthMs: HOUR, pieceMs: 10 * SECOND },
  '24h': { lengthMs: DAY, pieceMs: 3 * MINUTE },
  '7d': { lengthMs: 7 * DAY, pieceMs: 30 * MINUTE },
  '30d': { lengthMs: 30 * DAY, pieceMs: 2 * HOUR },
}

export interface ProbeHistoryOptions {
  readonly cluster: string
  /** Tells of every probe that has ended; returns what ends it. */
  readonly onRecord: (
    listener: (ended: { readonly member: string; readonly record: ProbeRecord }) => void,
  ) => () => void
  readonly store: ProbeHistoryStore
  readonly clock: Clock
  readonly logger: Logger
}

/** The pieces of one member over a range: the piece of `at` is number `(at - from) / pieceMs`. */
export interface ProbePieces {
  readonly from: number
  readonly pieceMs: number
  /** How many there are, with those in which nobody asked. */
  readonly count: number
  readonly pieces: ReadonlyMap<number, ProbePiece>
}

export class ProbeHistory {
  readonly #options: ProbeHistoryOptions
  readonly #behind: WriteBehind<KeptPiece>
  /** By member, then by length. */
  readonly #open = new Map<string, Map<number, KeptPiece>>()
  /** Pieces that an earlier run may have begun: by length, when they began. Empty once they were read. */
  readonly #begunBefore = new Map<number, number>()
  #unsubscribe: () => void = () => {}
  #cancelTick: () => void = () => {}
  #ticks = 0

  constructor(options: ProbeHistoryOptions) {
    this.#options = options
    this.#behind = new WriteBehind<KeptPiece>({
      keyOf: ({ member, pieceMs, at }) => `${pieceMs} ${at} ${member}`,
      write: (pieces) => this.#write(pieces),
      most: MOST_WAITING,
      logger: options.logger,
      what: 'the record of probes',
    })
  }

  /** Begins to count. Nothing is waited for. */
  start(): void {
    const { clock, onRecord } = this.#options
    for (const { pieceMs } of Object.values(ranges)) this.#begunBefore.set(pieceMs, beginningOf(clock.now(), pieceMs))
    this.#unsubscribe = onRecord(({ member, record }) => this.#note(member, record))
    this.#planTick()
  }

  /** Stops, with everything written that can be. */
  async stop(): Promise<void> {
    this.#unsubscribe()
    this.#cancelTick()
    this.#putOpen(0)
    await this.#behind.flush()
  }

  /** What probes of that member showed over the range up to now. Rejects while the database cannot be read. */
  async read(member: string, range: HealthRange): Promise<ProbePieces> {
    const { store, cluster, clock } = this.#options
    const { lengthMs, pieceMs } = ranges[range]
    const from = beginningOf(clock.now(), pieceMs) - lengthMs
    const kept = await store.read(cluster, pieceMs, member, from)
    const pieces = new Map(kept.map(({ at, piece }) => [at, piece]))
    // What is newer than what was written: pieces that wait to be, and the one that is open.
    const open = this.#open.get(member)?.get(pieceMs)
    const newer = this.#behind.waiting.filter((each) => each.member === member && each.pieceMs === pieceMs)
    for (const { at, piece } of open === undefined ? newer : [...newer, open]) if (at >= from) pieces.set(at, piece)
    const numbered = [...pieces].map(([at, piece]) => [(at - from) / pieceMs, piece] as const)
    return { from, pieceMs, count: lengthMs / pieceMs + 1, pieces: new Map(numbered) }
  }

  #note(member: string, record: ProbeRecord): void {
    const now = this.#options.clock.now()
    for (const { pieceMs } of Object.values(ranges)) this.#pieceAt(member, pieceMs, now).note(record)
  }

  /** The open piece of that moment; the one before it is over. */
  #pieceAt(member: string, pieceMs: number, now: number): ProbePiece {
    const at = beginningOf(now, pieceMs)
    let open = this.#open.get(member)
    if (open === undefined) this.#open.set(member, (open = new Map<number, KeptPiece>()))
    const before = open.get(pieceMs)
    if (before?.at === at) return before.piece
    if (before !== undefined) this.#put(before)
    const piece = new ProbePiece()
    open.set(pieceMs, { member, pieceMs, at, piece })
    return piece
  }

  #planTick(): void {
    this.#cancelTick = this.#options.clock.after(TICK_MS, () => {
      this.#planTick()
      this.#tick()
    })
  }

  #tick(): void {
    this.#ticks += 1
    if (this.#ticks % TICKS_UNTIL_LONG_ONES === 0) this.#putOpen(TICK_MS + 1)
    this.#closeWhatIsOver()
    void this.#behind.flush()
    if (this.#ticks % TICKS_UNTIL_PRUNED === 1) void this.#prune()
  }

  /** Members that are no longer asked leave no piece open. */
  #closeWhatIsOver(): void {
    const now = this.#options.clock.now()
    for (const [member, open] of this.#open) {
      for (const [pieceMs, kept] of open) {
        if (kept.at === beginningOf(now, pieceMs)) continue
        this.#put(kept)
        open.delete(pieceMs)
      }
      if (open.size === 0) this.#open.delete(member)
    }
  }

  /** Has open pieces of at least that length written as they are now. */
  #putOpen(atLeastMs: number): void {
    for (const open of this.#open.values()) {
      for (const kept of open.values()) if (kept.pieceMs >= atLeastMs) this.#put(kept)
    }
  }

  /** Anew each time: what is counted while the piece is on its way to the disk has to go there too. */
  #put(kept: KeptPiece): void {
    this.#behind.put({ ...kept })
  }

  async #write(pieces: readonly KeptPiece[]): Promise<void> {
    await this.#readBegunBefore()
    await this.#options.store.write(this.#options.cluster, pieces)
  }

  /** Before anything is written in its place, what an earlier run counted of the same pieces is added to them. */
  async #readBegunBefore(): Promise<void> {
    const { store, cluster } = this.#options
    for (const [pieceMs, at] of this.#begunBefore) {
      const kept = await store.readAt(cluster, pieceMs, at)
      this.#begunBefore.delete(pieceMs)
      for (const before of kept) this.#continue(before)
    }
  }

  #continue(before: KeptPiece): void {
    const { member, pieceMs, at, piece } = before
    const isSame = (each: KeptPiece) => each.member === member && each.pieceMs === pieceMs && each.at === at
    const open = this.#open.get(member)?.get(pieceMs)
    const known = open !== undefined && isSame(open) ? open : this.#behind.waiting.find(isSame)
    known?.piece.merge(piece)
  }

  async #prune(): Promise<void> {
    const { store, cluster, clock, logger } = this.#options
    try {
      for (const { lengthMs, pieceMs } of Object.values(ranges)) {
        await store.prune(cluster, pieceMs, beginningOf(clock.now(), pieceMs) - lengthMs)
      }
    } catch (error) {
      logger.warn({ err: error }, 'the old record of probes could not be removed')
    }
  }
}

const TICK_MS = 10 * SECOND
const TICKS_UNTIL_LONG_ONES = 6
const TICKS_UNTIL_PRUNED = 30
/** Pieces; a quarter of an hour of 50 members. More would have to wait in memory for a disk that may not come back. */
const MOST_WAITING = 10_000

function beginningOf(now: number, pieceMs: number): number {
  return Math.floor(now / pieceMs) * pieceMs
}
