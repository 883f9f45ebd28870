import { useSyncExternalStore } from 'react'

/**
 * The time by which the page counts. Instants come from the console's clock, which need not be the browser's: the
 * difference is learned from the live stream. Texts that count ("11 s") are drawn again once a second, and only those
 * whose words changed.
 */

let now = Date.now()
let timer: ReturnType<typeof setInterval> | undefined
const listeners = new Set<() => void>()
const samples: number[] = []
let offsetMs = 0

/** The console's present time, as well as it is known. */
export function serverNow(): number {
  return Date.now() + offsetMs
}

/**
 * Learns from an instant that was just received. It left the console a little earlier, so the largest difference of
 * the last few is the nearest to the truth.
 */
export function learnServerTime(at: string): void {
  samples.push(Date.parse(at) - Date.now())
  if (samples.length > 16) samples.shift()
  offsetMs = Math.max(...samples)
}

/** A text that depends on the time; the component is drawn again only when the text changes. */
export function useTicking(describe: (now: number) => string): string {
  const current = () => describe(timer === undefined ? serverNow() : now)
  return useSyncExternalStore(subscribe, current, current)
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  if (timer === undefined) {
    now = serverNow()
    timer = setInterval(tick, 1000)
  }
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0) {
      clearInterval(timer)
      timer = undefined
    }
  }
}

function tick(): void {
  now = serverNow()
  for (const listener of listeners) listener()
}
