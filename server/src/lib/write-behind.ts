import type { Logger } from './logger.ts'

export interface WriteBehindOptions<Item> {
  /** What an item stands for: of two under the same key, the later one counts. */
  readonly keyOf: (item: Item) => string
  /** Writes all of them, or rejects. It may be given what it was given before. */
  readonly write: (items: readonly Item[]) => Promise<void>
  /** As many may wait while they cannot be written; of more, those that wait longest are given up. */
  readonly most: number
  readonly logger: Logger
  /** For the log, e.g. "the health record". */
  readonly what: string
}

/**
 * Writes behind whoever has something to write, so that a slow or failing disk keeps nobody waiting: one batch at a
 * time, and what comes meanwhile goes with the next. What could not be written waits for the next `flush`.
 */
export class WriteBehind<Item> {
  readonly #options: WriteBehindOptions<Item>
  readonly #waiting = new Map<string, Item>()
  #writing: Promise<void> | null = null
  #failing = false

  constructor(options: WriteBehindOptions<Item>) {
    this.#options = options
  }

  /** Takes an item along with the next batch. */
  put(item: Item): void {
    this.#waiting.set(this.#options.keyOf(item), item)
    this.#giveUpOldest()
  }

  /** What has not been written yet, oldest first. */
  get waiting(): readonly Item[] {
    return [...this.#waiting.values()]
  }

  /** Begins to write what waits. Resolves when that was written or could not be; never rejects. */
  flush(): Promise<void> {
    this.#writing ??= this.#writeAll().finally(() => (this.#writing = null))
    return this.#writing
  }

  async #writeAll(): Promise<void> {
    const { write, keyOf, logger, what } = this.#options
    while (this.#waiting.size > 0) {
      const items = this.waiting
      try {
        await write(items)
      } catch (error) {
        // Once: a full disk is not mended by a line each second.
        if (!this.#failing) logger.warn({ err: error }, `${what} could not be written`)
        this.#failing = true
        return
      }
      this.#failing = false
      // What was put again meanwhile is newer than what was written.
      for (const item of items) {
        if (this.#waiting.get(keyOf(item)) === item) this.#waiting.delete(keyOf(item))
      }
    }
  }

  #giveUpOldest(): void {
    for (const key of this.#waiting.keys()) {
      if (this.#waiting.size <= this.#options.most) return
      this.#waiting.delete(key)
    }
  }
}
