import type { Standing } from '@malleus/shared/domain/health.ts'
import { badness } from '@malleus/shared/domain/health.ts'
import type { HealthBoard } from '../health/health-board.ts'
import type { Clock } from '../lib/clock.ts'
import { instant } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { HealthHistoryStore, HistoryPiece } from './health-history-store.ts'

/** 36 pieces of 40 minutes are 24 hours. */
export const PIECE_MS = 40 * 60_000
export const PIECES = 36

export interface HealthHistoryOptions {
  readonly cluster: string
  readonly board: HealthBoard
  readonly store: HealthHistoryStore
  readonly clock: Clock
  readonly logger: Logger
}

export interface HealthStrips {
  readonly from: string
  readonly pieceMs: number
  readonly members: Record<string, (Standing | null)[]>
}

/**
 * The worst standing of each member in each piece of the last day. Written as it changes, so that a console that is
 * ended at any moment loses nothing; a store that fails is tried again with the next change, and keeps nobody waiting.
 */
export class HealthHistory {
  readonly #options: HealthHistoryOptions
  /** By member, then by piece. */
  readonly #worst = new Map<string, Map<number, Standing>>()
  #unwritten: HistoryPiece[] = []
  #writing: Promise<void> | null = null
  #piece: number
  #stopped = false
  #unsubscribe: () => void = () => {}
  #cancelTick: () => void = () => {}

  constructor(options: HealthHistoryOptions) {
    this.#options = options
    this.#piece = this.#pieceNow()
  }

  /** Reads what an earlier run noted, then notes what the board says. Resolves when it does; never rejects. */
  async start(): Promise<void> {
    const { board, clock } = this.#options
    // First what was noted before: a piece that began badly stays a bad one after a restart in its midst.
    await this.#load()
    if (this.#stopped) return
    const tick = (): void => {
      this.#roll()
      void this.#write()
      this.#cancelTick = clock.after(TICK_MS, tick)
    }
    this.#unsubscribe = board.subscribe((change) => {
      if (change.kind === 'member' && change.after !== null) this.#note(change.member, change.after.standing)
    })
    tick()
  }

  /** Stops, with everything written that can be. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#unsubscribe()
    this.#cancelTick()
    await this.#write()
  }

  /** The last 24 hours of each present member, oldest first; null where nobody watched. */
  async strips(): Promise<HealthStrips> {
    const first = this.#pieceNow() - PIECES + 1
    const strip = (member: string) =>
      Array.from({ length: PIECES }, (_, index) => this.#worst.get(member)?.get(first + index) ?? null)
    const members = [...this.#options.board.snapshot().keys()]
    return {
      from: instant(first * PIECE_MS),
      pieceMs: PIECE_MS,
      members: Object.fromEntries(members.map((member) => [member, strip(member)])),
    }
  }

  #pieceNow(): number {
    return Math.floor(this.#options.clock.now() / PIECE_MS)
  }

  #note(member: string, standing: Standing): void {
    const piece = this.#pieceNow()
    const pieces = this.#worst.get(member) ?? new Map<number, Standing>()
    this.#worst.set(member, pieces)
    const worst = worseOf(pieces.get(piece), standing)
    if (worst === pieces.get(piece)) return
    pieces.set(piece, worst)
    this.#unwritten.push({ member, piece, standing: worst })
    void this.#write()
  }

  /** A new piece begins with what is believed now, and the oldest one goes. */
  #roll(): void {
    for (const [member, { standing }] of this.#options.board.snapshot()) this.#note(member, standing)
    const piece = this.#pieceNow()
    if (piece === this.#piece) return
    this.#piece = piece
    const oldest = piece - PIECES + 1
    for (const [member, pieces] of this.#worst) {
      for (const each of [...pieces.keys()].filter((each) => each < oldest)) pieces.delete(each)
      if (pieces.size === 0) this.#worst.delete(member)
    }
    this.#options.store
      .prune(this.#options.cluster, oldest)
      .catch((error: unknown) => this.#options.logger.warn({ error }, 'the old health history could not be removed'))
  }

  async #load(): Promise<void> {
    const { store, cluster, logger } = this.#options
    try {
      const pieces = await store.read(cluster, this.#pieceNow() - PIECES + 1)
      for (const { member, piece, standing } of pieces) {
        const known = this.#worst.get(member) ?? new Map<number, Standing>()
        this.#worst.set(member, known.set(piece, worseOf(known.get(piece), standing)))
      }
    } catch (error) {
      logger.warn({ error }, 'the health history of earlier runs could not be read')
    }
  }

  /** One at a time; what comes meanwhile goes with the next. */
  #write(): Promise<void> {
    this.#writing ??= this.#writeAll().finally(() => (this.#writing = null))
    return this.#writing
  }

  async #writeAll(): Promise<void> {
    const { store, cluster, logger } = this.#options
    while (this.#unwritten.length > 0) {
      const pieces = this.#unwritten
      this.#unwritten = []
      const latest = new Map(pieces.map((piece) => [`${piece.piece} ${piece.member}`, piece]))
      try {
        await store.write(cluster, [...latest.values()])
      } catch (error) {
        this.#unwritten = [...pieces, ...this.#unwritten].slice(-MOST_UNWRITTEN)
        logger.warn({ error }, 'the health history could not be written')
        return
      }
    }
  }
}

const TICK_MS = 30_000
const MOST_UNWRITTEN = 10_000

/** Not knowing is not worse than what is known later: every member begins unknown. */
function worseOf(before: Standing | undefined, next: Standing): Standing {
  if (before === undefined || before === 'unknown') return next
  if (next === 'unknown') return before
  return badness(next) > badness(before) ? next : before
}
