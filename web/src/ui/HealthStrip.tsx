import type { Tone } from './StateMark.tsx'

const heights: Record<Tone, number> = { good: 11, info: 11, unknown: 6, warning: 15, bad: 18 }
const fills: Record<Tone, string> = {
  good: 'stroke-good-mark',
  info: 'stroke-info-mark',
  warning: 'stroke-warning-mark',
  bad: 'stroke-bad-mark',
  unknown: 'stroke-unknown-mark',
}

/**
 * Time from left to right, one bar a piece. What was worse stands higher, so that the strip reads without colour; a
 * piece of which nothing is known is a low grey stub. One path per state: fifty strips are two hundred elements.
 */
export function HealthStrip({
  pieces,
  label,
  wide = false,
}: {
  pieces: readonly Tone[]
  label: string
  wide?: boolean
}) {
  const step = wide ? 10 : 3
  const paths = new Map<Tone, string>()
  pieces.forEach((tone, index) => {
    const x = index * step + step / 2
    paths.set(tone, `${paths.get(tone) ?? ''}M${x} 19v${-heights[tone]}`)
  })
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox={`0 0 ${pieces.length * step} 20`}
      preserveAspectRatio="none"
      className={wide ? 'h-9 w-full' : 'h-5 w-[108px]'}
    >
      <title>{label}</title>
      {[...paths].map(([tone, d]) => (
        <path key={tone} d={d} strokeWidth={wide ? 7 : 2} className={fills[tone]} />
      ))}
    </svg>
  )
}
