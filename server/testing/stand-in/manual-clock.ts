import type { Clock } from './clock.ts'

interface Timer {
  at: number
  ms: number
  run: () => void
}

/** Time that stands still until a test moves it. Sockets know nothing of it. */
export class ManualClock implements Clock {
  #now: number
  readonly #timers = new Set<Timer>()

  constructor(now: number = Date.parse('2026-01-01T00:00:00Z')) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, ms, run }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Somebody waits for exactly that long. */
  awaits(ms: number): boolean {
    return [...this.#timers].some((timer) => timer.ms === ms)
  }

  /** Runs what is due on the way, in order, also what is only asked for on the way. */
  advance(ms: number): void {
    const until = this.#now + ms
    for (let next = this.#next(until); next !== undefined; next = this.#next(until)) {
      this.#timers.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.run()
    }
    this.#now = until
  }

  #next(until: number): Timer | undefined {
    return [...this.#timers].filter(({ at }) => at <= until).toSorted((one, other) => one.at - other.at)[0]
  }
}
