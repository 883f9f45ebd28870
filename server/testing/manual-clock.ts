import type { Clock } from '../src/lib/clock.ts'

/** A clock that stands still until it is told to go on. Callbacks that fall due run in their order. */
export class ManualClock implements Clock {
  #ms: number
  #wallOffsetMs = 0
  #timers: { readonly at: number; readonly callback: () => void }[] = []

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#ms = startMs
  }

  now(): number {
    return this.#ms + this.#wallOffsetMs
  }

  monotonic(): number {
    return this.#ms
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { at: this.#ms + delayMs, callback }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Somebody sets the wall clock; the time for durations goes on as it did. */
  stepWall(byMs: number): void {
    this.#wallOffsetMs += byMs
  }

  /** The process can do nothing for so long: time passes, and what falls due meanwhile runs late. */
  holdUp(ms: number): void {
    this.#ms += ms
  }

  /** Lets time pass; between callbacks, lets promises that became ready run. */
  async pass(ms: number): Promise<void> {
    const end = this.#ms + ms
    await settled()
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0]
      if (due === undefined) break
      this.#ms = Math.max(this.#ms, due.at)
      this.#timers = this.#timers.filter((other) => other !== due)
      due.callback()
      await settled()
    }
    this.#ms = end
    await settled()
  }
}

/** Promise callbacks may make further promises ready; a turn of the event loop runs them all. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
