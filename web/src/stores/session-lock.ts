import { createStore } from '../lib/store.ts'

/** Set when the session ended while a page was open: the page stays readable under it until the person signs in again. */
export const sessionLock = createStore<{ readonly reason: string } | null>(null)

export function lockSession(reason: string): void {
  sessionLock.set((previous) => previous ?? { reason })
}
