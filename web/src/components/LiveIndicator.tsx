import { lastHeardAt, livePhase } from '../api/live.ts'
import { useTicking } from '../lib/clock.ts'
import { useStore } from '../lib/store.ts'
import { useMay } from './current.ts'
import { describeLive } from './live-words.ts'

const dots = {
  good: 'bg-good-mark',
  warning: 'bg-warning-mark',
  bad: 'bg-bad-mark',
  info: 'bg-info-mark',
  unknown: 'bg-unknown-mark',
} as const

/** Whether what is on the page is current, and as of when. */
export function LiveIndicator() {
  useStore(livePhase)
  const { may } = useMay('live.read')
  // Looked at once a second, not at every event: a number that flickers says less.
  const said = useTicking((now) => {
    const { tone, text } = describeLive(livePhase.get(), lastHeardAt(), now)
    return `${tone}|${text}`
  })
  if (!may) return null
  const [tone, text] = said.split('|')
  return (
    <span className="inline-flex items-center gap-1.5 text-12 whitespace-nowrap text-ink-3 tabular-nums">
      <span aria-hidden="true" className={`size-2 rounded-full ${dots[isTone(tone) ? tone : 'unknown']}`} />
      {text}
    </span>
  )
}

function isTone(word: string | undefined): word is keyof typeof dots {
  return word !== undefined && Object.hasOwn(dots, word)
}
