import { createStore } from '../lib/store.ts'

export interface Announcement {
  readonly id: number
  readonly text: string
}

/** What changed by itself, in words, for people who hear the page. Each stays until a reader has surely said it. */
export const announcements = createStore<readonly Announcement[]>([])

const keptMs = 10_000
let lastId = 0

export function announce(text: string): void {
  lastId += 1
  const said = { id: lastId, text }
  announcements.set((previous) => [...previous, said])
  setTimeout(() => announcements.set((previous) => previous.filter(({ id }) => id !== said.id)), keptMs)
}
