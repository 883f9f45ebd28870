interface Kept<Reading> {
  readonly key: string
  readonly readAt: number
  /** What it came to, once it is known. */
  reading: Promise<Reading> | Reading
}

/**
 * What was read of sessions a moment ago, by the cookie that it was read with: nothing has to be computed to find it, and
 * another cookie for the same row finds nothing. What is too old to be believed is forgotten with the next reading, so
 * that tokens do not stay in memory after their person has gone.
 */
export class SessionCache<Reading> {
  readonly #keptMs: number
  readonly #byCookie = new Map<string, Kept<Reading>>()
  /** The cookie by which the row was read last, by the key of the row in hexadecimal. */
  readonly #cookies = new Map<string, string>()

  /** @param keptMs for how long a reading is believed */
  constructor(keptMs: number) {
    this.#keptMs = keptMs
  }

  /** @param now monotonic milliseconds */
  find(cookie: string, now: number): Promise<Reading> | Reading | undefined {
    const kept = this.#byCookie.get(cookie)
    return kept !== undefined && now - kept.readAt < this.#keptMs ? kept.reading : undefined
  }

  /** Takes the place of what was read of the row before. A reading that fails is not kept. */
  keep(cookie: string, key: string, reading: Promise<Reading>, now: number): void {
    this.forget(key)
    this.#forgetOld(now)
    const kept: Kept<Reading> = { key, readAt: now, reading }
    this.#byCookie.set(cookie, kept)
    this.#cookies.set(key, cookie)
    reading.then(
      (read) => (kept.reading = read),
      () => this.#byCookie.get(cookie) === kept && this.forget(key),
    )
  }

  get size(): number {
    return this.#byCookie.size
  }

  forget(key: string): void {
    const cookie = this.#cookies.get(key)
    if (cookie === undefined) return
    this.#cookies.delete(key)
    this.#byCookie.delete(cookie)
  }

  /** They stand in the order in which they were read. */
  #forgetOld(now: number): void {
    for (const { key, readAt } of this.#byCookie.values()) {
      if (now - readAt < this.#keptMs) return
      this.forget(key)
    }
  }
}
