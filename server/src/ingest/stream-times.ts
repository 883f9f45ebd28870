import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import { Subscribable } from '../lib/subscribable.ts'
import type { KeptStream, StreamGap, StreamStore } from './stream-store.ts'

export interface StreamTimesOptions {
  readonly cluster: string
  readonly store: StreamStore
  readonly clock: Clock
  readonly logger: Logger
}

interface Stream extends KeptStream {
  readonly isOpen: boolean
  /** Why it is not, or was not last. */
  readonly reason: string
}

/**
 * When each stream that feeds the history was heard, and so what may be missing: a gap begins with the last thing that
 * was heard, not when it was noticed, and is told once, when it is over. Every ten seconds it is written down how far each
 * was heard, so that the gap of a console that was killed is known too.
 */
export class StreamTimes extends Subscribable<StreamGap> {
  readonly #options: StreamTimesOptions
  readonly #streams = new Map<string, Stream>()
  #gaps: StreamGap[] = []
  #cancelTick = (): void => {}
  #failing = false

  constructor(options: StreamTimesOptions) {
    super((error) => options.logger.error({ err: error }, 'a listener of gaps failed'))
    this.#options = options
  }

  /**
   * Reads what earlier runs heard; to be awaited before the first stream opens. Never rejects: what cannot be read counts
   * as never heard.
   */
  async start(): Promise<void> {
    const { store, cluster, clock } = this.#options
    await this.#trying(async () => {
      await store.prune(cluster, clock.now() - keptMs)
      const [streams, gaps] = await Promise.all([store.streams(cluster), store.gaps(cluster)])
      for (const kept of streams) {
        this.#streams.set(kept.stream, { ...kept, isOpen: false, reason: 'the console was not running' })
      }
      this.#gaps = [...gaps]
    })
    this.#planTick()
  }

  async stop(): Promise<void> {
    this.#cancelTick()
    await this.#write()
  }

  /** It is heard again, or for the first time. Opening what is open is nothing. */
  opened(stream: string): void {
    const now = this.#options.clock.now()
    const before = this.#streams.get(stream)
    if (before?.isOpen === true) return
    this.#streams.set(stream, { stream, began: before?.began ?? now, seen: now, isOpen: true, reason: '' })
    if (before !== undefined) this.#tell({ stream, from: Math.min(before.seen, now), to: now, reason: before.reason })
  }

  /** Something came on it, or a sign of life: until now nothing is missing. */
  heard(stream: string): void {
    const known = this.#streams.get(stream)
    if (known?.isOpen === true) this.#streams.set(stream, { ...known, seen: this.#options.clock.now() })
  }

  /** It is not heard any more; of several reasons the first counts. */
  closed(stream: string, reason: string): void {
    const known = this.#streams.get(stream)
    if (known?.isOpen === true) this.#streams.set(stream, { ...known, isOpen: false, reason })
  }

  /** It will not come back: its gap, where it has one, ends now. */
  gone(stream: string, reason: string): void {
    this.closed(stream, reason)
    const known = this.#streams.get(stream)
    if (known === undefined) return
    this.#streams.delete(stream)
    this.#tell({ stream, from: known.seen, to: this.#options.clock.now(), reason })
  }

  /** A time that was missed although the stream was open: more came than could be kept. */
  missed(gap: StreamGap): void {
    this.#tell(gap)
  }

  /** Since when it is heard, with gaps; null when it never was. */
  since(stream: string): number | null {
    return this.#streams.get(stream)?.began ?? null
  }

  /** Streams that are not heard now, with since when and why. */
  get deaf(): readonly Omit<StreamGap, 'to'>[] {
    return [...this.#streams.values()]
      .filter(({ isOpen }) => !isOpen)
      .map(({ stream, seen, reason }) => ({ stream, from: seen, reason }))
  }

  /** All gaps that are known and over, in the order in which they ended. */
  get gaps(): readonly StreamGap[] {
    return this.#gaps
  }

  #tell(gap: StreamGap): void {
    this.#gaps.push(gap)
    if (this.#gaps.length > mostGaps) this.#gaps.shift()
    void this.#trying(() => this.#options.store.writeGap(this.#options.cluster, gap))
    void this.#write()
    this.publish(gap)
  }

  #planTick(): void {
    this.#cancelTick = this.#options.clock.after(tickMs, () => {
      this.#planTick()
      void this.#write()
    })
  }

  #write(): Promise<void> {
    const rows = [...this.#streams.values()].map(({ stream, began, seen }) => ({ stream, began, seen }))
    return this.#trying(() => this.#options.store.writeStreams(this.#options.cluster, rows))
  }

  async #trying(work: () => Promise<void>): Promise<void> {
    try {
      await work()
      this.#failing = false
    } catch (error) {
      if (!this.#failing) this.#options.logger.warn({ err: error }, 'when streams were heard could not be noted')
      this.#failing = true
    }
  }
}

const tickMs = 10_000
const keptMs = 400 * 86_400_000
const mostGaps = 2_000
