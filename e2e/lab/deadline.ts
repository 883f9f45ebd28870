import { setTimeout as pause } from 'node:timers/promises'

/** Asks again and again until there is an answer. `undefined` means not yet; a thrown error ends the wait. Throws after `withinMs`. */
export async function until<T>(
  what: string,
  withinMs: number,
  ask: () => Promise<T | undefined> | T | undefined,
  everyMs = 25,
): Promise<T> {
  const end = performance.now() + withinMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (performance.now() >= end) throw new Error(`${what}: not within ${withinMs / 1000} s`)
    await pause(everyMs)
  }
}
