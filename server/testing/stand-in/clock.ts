/** Time as the stand-in uses it; tests may bring their own. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Runs once after that many milliseconds, unless cancelled by calling what it returns. */
  after(ms: number, run: () => void): () => void
}

/** The machine's time. Its timers do not keep a process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms).unref()
    return () => clearTimeout(timer)
  },
}

/** Resolves after that many milliseconds; rejects with the signal's reason when it is aborted before. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(reasonOf(signal))
      return
    }
    const onAbort = (): void => {
      cancel()
      if (signal) reject(reasonOf(signal))
    }
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

/** Never resolves; rejects with the signal's reason. What a request does whose answer will not come. */
export function forever(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(reasonOf(signal))
    else signal.addEventListener('abort', () => reject(reasonOf(signal)), { once: true })
  })
}

function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason })
}
