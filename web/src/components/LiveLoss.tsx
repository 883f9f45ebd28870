import { lastHeardAt, livePhase } from '../api/live.ts'
import { useTicking } from '../lib/clock.ts'
import { Notice } from '../ui/Notice.tsx'
import { describeLoss } from './live-words.ts'

/** Across a page that has not been live for a while. It is said aloud elsewhere, once, and not each second. */
export function LiveLoss() {
  const text = useTicking((now) => describeLoss(livePhase.get(), lastHeardAt(), now))
  if (text === '') return null
  return (
    <div data-kept>
      <Notice tone="warning" shape="pending" headline="This page is not live.">
        {text}
      </Notice>
    </div>
  )
}

/** Whether the page has been without the console for so long that it says so. */
export function useIsLost(): boolean {
  return useTicking((now) => (describeLoss(livePhase.get(), lastHeardAt(), now) === '' ? '' : 'lost')) === 'lost'
}
