/** Time as a dependency, so that the simulator and the tests decide what it is. */
export interface Clock {
  /** Wall-clock time, in milliseconds since 1970. For records and for people. */
  now(): number
  /** Time that only goes forward, in milliseconds with fractions. For durations. */
  monotonic(): number
  /** Calls back once after the delay; returns what cancels it. Does not keep the process alive. */
  after(delayMs: number, callback: () => void): () => void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs)
    timer.unref()
    return () => clearTimeout(timer)
  },
}

/** Waits on the given clock; ends early, without an error, when the signal says so. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve()
      return
    }
    const cancel = clock.after(delayMs, done)
    function done(): void {
      cancel()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    signal?.addEventListener('abort', done, { once: true })
  })
}

/** An instant as it goes over the wire: RFC 3339, UTC, milliseconds. */
export function instant(ms: number): string {
  return new Date(ms).toISOString()
}
