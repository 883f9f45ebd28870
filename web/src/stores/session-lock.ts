import { createStore } from '../lib/store.ts'

/** Set when the session ended while a page was open: the page stays readable under it until the person signs in again. */
export const sessionLock = createStore<{ readonly reason: string } | null>(null)

let isLeft = false

/** The person leaves: the end of the session locks nothing from now on. Returns what takes that back. */
export function leavePage(): () => void {
  isLeft = true
  return () => {
    isLeft = false
  }
}

export function lockSession(reason: string): void {
  if (isLeft) return
  sessionLock.set((previous) => previous ?? { reason })
}
