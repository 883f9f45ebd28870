import type { Clock } from '../../src/lib/clock.ts'

interface Timer {
  readonly at: number
  /** Timers of the same instant run in the order in which they were set. */
  readonly order: number
  callback: (() => void) | null
}

/**
 * Time that only passes when everything that is due now is done. Promises settle between two timers as they do in
 * Node: `process.nextTick` comes back when no promise callback is left, which costs nothing and waits for nothing.
 */
export class VirtualClock implements Clock {
  readonly #heap: Timer[] = []
  #monotonicMs = 0
  #wallMs: number
  #order = 0
  #waiting = 0
  #steps = 0

  constructor(wallMs = Date.UTC(2026, 0, 1)) {
    this.#wallMs = wallMs
  }

  now(): number {
    return Math.floor(this.#wallMs + this.#monotonicMs)
  }

  monotonic(): number {
    return this.#monotonicMs
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer: Timer = { at: this.#monotonicMs + Math.max(0, delayMs), order: this.#order++, callback }
    this.#waiting += 1
    this.#push(timer)
    return () => {
      if (timer.callback === null) return
      timer.callback = null
      this.#waiting -= 1
    }
  }

  /** Somebody sets the wall clock, or NTP does. */
  stepWall(byMs: number): void {
    this.#wallMs += byMs
  }

  /** Timers that are neither due nor cancelled. */
  get waiting(): number {
    return this.#waiting
  }

  get steps(): number {
    return this.#steps
  }

  /** Lets time pass up to that instant, or until `done` says so; rejects with what a callback throws. */
  run(untilMs: number, done: () => boolean = () => false): Promise<void> {
    return new Promise((resolve, reject) => {
      const step = (): void => {
        try {
          if (!this.#fireNext(untilMs) || done()) {
            resolve()
            return
          }
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)))
          return
        }
        queueMicrotask(next)
      }
      // A tick only runs when no promise callback is left; one that is asked for by a tick would run before them.
      const next = (): void => process.nextTick(step)
      next()
    })
  }

  /** False when nothing is due until then. */
  #fireNext(untilMs: number): boolean {
    for (;;) {
      const [next] = this.#heap
      if (next === undefined || next.at > untilMs) {
        this.#monotonicMs = untilMs
        return false
      }
      this.#pop()
      const { callback } = next
      if (callback === null) continue
      next.callback = null
      this.#waiting -= 1
      this.#monotonicMs = next.at
      this.#steps += 1
      callback()
      return true
    }
  }

  #push(timer: Timer): void {
    const heap = this.#heap
    let at = heap.push(timer) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = heap[above]
      if (parent === undefined || !isBefore(timer, parent)) break
      heap[at] = parent
      at = above
    }
    heap[at] = timer
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      const left = heap[2 * at + 1]
      const right = heap[2 * at + 2]
      const takeRight = right !== undefined && left !== undefined && isBefore(right, left)
      const child = takeRight ? right : left
      if (child === undefined || !isBefore(child, last)) break
      heap[at] = child
      at = 2 * at + (takeRight ? 2 : 1)
    }
    heap[at] = last
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

/** The clock of something that can end without a word, as a killed process does: its timers never come. */
export class MortalClock implements Clock {
  readonly #clock: Clock
  #dead = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  now(): number {
    return this.#clock.now()
  }

  monotonic(): number {
    return this.#clock.monotonic()
  }

  after(delayMs: number, callback: () => void): () => void {
    return this.#clock.after(delayMs, () => {
      if (!this.#dead) callback()
    })
  }

  die(): void {
    this.#dead = true
  }
}
