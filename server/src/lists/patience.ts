import type { Clock } from '../lib/clock.ts'

/**
 * How long a person waits for what is nice to have fresh, in milliseconds, before they get what is known. They have an
 * answer within 300; the rest is for the way there and back.
 */
export const PATIENCE_MS = 200

/** What the work gives, or null when it has not in that time; it goes on, and whatever becomes of it then is ignored. */
export function soon<Value>(clock: Clock, work: Promise<Value>, patienceMs = PATIENCE_MS): Promise<Value | null> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(patienceMs, () => resolve(null))
    work.then(
      (value) => {
        cancel()
        resolve(value)
      },
      (error: unknown) => {
        cancel()
        reject(error instanceof Error ? error : new Error(String(error)))
      },
    )
  })
}
