import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { Span } from './incident.ts'
import type { WatchedTimesStore } from './watched-times-store.ts'

export interface WatchedTimesOptions {
  readonly cluster: string
  readonly store: WatchedTimesStore
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * When the console watched a cluster, and so when nobody did. Every ten seconds it writes down that it is there: a
 * console that is killed is then believed to have gone up to ten seconds before it did, never later.
 */
export class WatchedTimes {
  readonly #options: WatchedTimesOptions
  /** Of earlier runs, oldest first; null until they were read. */
  #before: readonly Span[] | null = null
  #beganAt: number
  #cancelTick: () => void = () => {}
  #ticks = 0
  #failing = false

  constructor(options: WatchedTimesOptions) {
    this.#options = options
    this.#beganAt = options.clock.now()
  }

  /** Reads when earlier runs watched. Never rejects: while they cannot be read it is tried again. */
  async start(): Promise<void> {
    this.#beganAt = this.#options.clock.now()
    this.#planTick()
    await this.#note()
  }

  async stop(): Promise<void> {
    this.#cancelTick()
    await this.#note()
  }

  /** Whether it is known when earlier runs watched. */
  get known(): boolean {
    return this.#before !== null
  }

  /** Since when incidents can have been noticed at all. */
  get since(): number {
    return this.#before?.[0]?.from ?? this.#beganAt
  }

  /** The pause before this run; null where there was no earlier one, or it is not known. */
  get pause(): Span | null {
    const last = this.#before?.at(-1)
    return last === undefined ? null : { from: Math.min(last.to, this.#beganAt), to: this.#beganAt }
  }

  /** When nobody watched between two moments, where that is known; oldest first. */
  gaps(from: number, to: number): readonly Span[] {
    if (this.#before === null) return []
    const watched = [...this.#before, { from: this.#beganAt, to }]
    const [first] = watched
    const between = watched.slice(1).map((span, at) => ({ from: watched[at]?.to ?? span.from, to: span.from }))
    const all = first === undefined ? between : [{ from: -Infinity, to: first.from }, ...between]
    return all
      .map((gap) => ({ from: Math.max(from, gap.from), to: Math.min(to, gap.to) }))
      .filter((gap) => gap.to - gap.from >= SHORTEST_GAP_MS)
  }

  #planTick(): void {
    this.#cancelTick = this.#options.clock.after(TICK_MS, () => {
      this.#planTick()
      this.#ticks += 1
      void this.#note()
    })
  }

  async #note(): Promise<void> {
    const { store, cluster, clock, logger } = this.#options
    try {
      // First what was there before: this run is not one of them.
      if (this.#before === null) this.#before = await store.read(cluster)
      await store.write(cluster, { from: this.#beganAt, to: clock.now() })
      if (this.#ticks % TICKS_UNTIL_PRUNED === 0) await store.prune(cluster, clock.now() - KEPT_MS)
      this.#failing = false
    } catch (error) {
      if (!this.#failing) logger.warn({ err: error }, 'when the console watched could not be noted')
      this.#failing = true
    }
  }
}

const TICK_MS = 10_000
const TICKS_UNTIL_PRUNED = 360
const SHORTEST_GAP_MS = 1_000
export const KEPT_MS = 400 * 86_400_000
