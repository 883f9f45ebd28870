import { formatAgo, formatDuration, formatFull } from '../lib/time.ts'
import { useTicking } from '../lib/clock.ts'

/** A text that counts by itself. `describe` must depend on its argument alone, and on what the caller passes in. */
export function Ticking({ describe }: { describe: (now: number) => string }) {
  return useTicking(describe)
}

/** "11 s ago", with the exact time on hover. */
export function Ago({ at }: { at: string }) {
  return (
    <time dateTime={at} title={formatFull(at)} className="tabular-nums">
      <Ticking describe={(now) => formatAgo(at, now)} />
    </time>
  )
}

/** "11 s", counting. */
export function Since({ at }: { at: string }) {
  return (
    <time dateTime={at} title={formatFull(at)} className="tabular-nums">
      <Ticking describe={(now) => formatDuration(now - Date.parse(at))} />
    </time>
  )
}
