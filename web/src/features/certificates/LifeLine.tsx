import { certificateTone } from '../../components/cluster-words.ts'
import { cx } from '../../lib/class-names.ts'
import { formatDate, formatExpiry } from '../../lib/time.ts'
import { lifePassed } from './certificate-view.ts'

const colours = {
  good: 'fill-good-mark',
  warning: 'fill-warning-mark',
  bad: 'fill-bad-mark',
  info: '',
  unknown: '',
} as const
const rings = {
  good: 'stroke-good-mark',
  warning: 'stroke-warning-mark',
  bad: 'stroke-bad-mark',
  info: '',
  unknown: '',
} as const

/** The life of a certificate from left to right, with today on it, and the day on which it is renewed by itself. */
export function LifeLine(props: {
  from: string
  until: string
  now: number
  renewal: { readonly at: string; readonly how: string } | null
}) {
  const { from, until, now, renewal } = props
  const passed = lifePassed(from, until, now)
  const renewed = renewal && lifePassed(from, until, Date.parse(renewal.at))
  const tone = certificateTone(until, now)
  return (
    <div className="px-(--pad-x) pt-2.5 pb-3">
      <div aria-hidden="true" className="relative mb-1 h-4 text-11 text-ink-2">
        <span className={cx('absolute', todayAt(passed))} style={{ left: `${passed}%` }}>
          Today
        </span>
      </div>
      <svg
        role="img"
        aria-label={`${Math.round(passed)}% of its life has passed${renewal === null ? '' : `; it is renewed on ${formatDate(renewal.at)}`}`}
        className="block h-4 w-full overflow-visible"
      >
        <rect y="6" width="100%" height="4" rx="2" className="fill-meter-track" />
        <rect y="6" width={`${passed}%`} height="4" rx="2" className={colours[tone]} />
        {renewed !== null && (
          <rect x={`${renewed}%`} y="0" width="2" height="16" className="fill-good-mark">
            <title>{renewal?.how}</title>
          </rect>
        )}
        <circle cx={`${passed}%`} cy="8" r="5.5" strokeWidth="3" className={`fill-surface ${rings[tone]}`} />
      </svg>
      <div className="mt-1.5 flex flex-wrap justify-between gap-x-3 text-12 text-ink-3">
        <span>Issued {formatDate(from)}</span>
        {renewal !== null && (
          <span className="text-good" title={renewal.how}>
            Renewal {formatDate(renewal.at)}
          </span>
        )}
        <span>
          {formatDate(until)}, {formatExpiry(until, now)}
        </span>
      </div>
    </div>
  )
}

/** Over the ring, and within the card at both ends. */
function todayAt(passed: number): string {
  if (passed < 6) return ''
  return passed > 94 ? '-translate-x-full' : '-translate-x-1/2'
}
