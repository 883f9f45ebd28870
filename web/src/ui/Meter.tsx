import { cx } from '../lib/class-names.ts'

/** How much of something is used; its colour turns where it becomes a concern. */
export function Meter(props: {
  value: number
  label: string
  text: string
  warnAt?: number
  badAt?: number
  wide?: boolean
}) {
  const { value, label, text, warnAt = 0.8, badAt = 0.92, wide } = props
  const share = Math.min(1, Math.max(0, value))
  const colour = value >= badAt ? 'fill-bad-mark' : value >= warnAt ? 'fill-warning-mark' : 'fill-meter'
  return (
    <span className={cx('flex items-center gap-2', wide ? 'min-w-max flex-1' : 'w-max')}>
      <svg
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(share * 100)}
        aria-valuetext={text}
        viewBox="0 0 100 6"
        preserveAspectRatio="none"
        className={cx('h-1.5 rounded-full', wide ? 'min-w-10 grow' : 'w-10')}
      >
        <rect width="100" height="6" className="fill-meter-track" />
        <rect width={share * 100} height="6" className={colour} />
      </svg>
      <span className="min-w-8 text-right whitespace-nowrap tabular-nums">{text}</span>
    </span>
  )
}
