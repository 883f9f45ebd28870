import { createStore } from '../lib/store.ts'

/** The last change of state in words, for people who hear the page. */
export const announcement = createStore('')

export function announce(sentence: string): void {
  announcement.set(sentence)
}
