import type { LivePhase } from '../api/follow-live.ts'
import type { Store } from '../lib/store.ts'

/** A stream that is back within this time was never missed. */
const graceMs = 3000

/** Says aloud when the page stops being live for longer than a moment, and when it is live again. */
export function announceLiveLink(phase: Pick<Store<LivePhase>, 'get' | 'subscribe'>, say: (text: string) => void) {
  let state: 'not-yet' | 'live' | 'in-doubt' | 'lost' = 'not-yet'
  let timer: ReturnType<typeof setTimeout> | undefined
  const hear = (): void => {
    const now = phase.get()
    if (now === 'live') {
      clearTimeout(timer)
      if (state === 'lost') say('This page is live again.')
      state = 'live'
    } else if (now === 'ended') {
      // The page says itself why: it is locked, or left.
      clearTimeout(timer)
      state = 'not-yet'
    } else if (state === 'live') {
      state = 'in-doubt'
      timer = setTimeout(() => {
        state = 'lost'
        say('This page is not live: the console does not answer. What it shows is what was last known.')
      }, graceMs)
    }
  }
  hear()
  const unsubscribe = phase.subscribe(hear)
  return () => {
    clearTimeout(timer)
    unsubscribe()
  }
}
