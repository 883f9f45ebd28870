/** What a state looks like beside its word: a shape of its own, so that colour is never the only sign. */
export type Tone = 'good' | 'warning' | 'bad' | 'info' | 'unknown'
export type Shape =
  | 'check'
  | 'quarter'
  | 'cross'
  | 'leave'
  | 'question'
  | 'alert'
  | 'info'
  | 'rising'
  | 'key'
  | 'pending'
  | 'none'

const paths: Record<Exclude<Shape, 'none'>, string> = {
  check: 'M2.5 6.5 5 9l4.5-6',
  cross: 'M3 3l6 6M9 3 3 9',
  leave: 'M1.5 6H8M5.5 3.5 8 6 5.5 8.5M10.5 2.5v7',
  question: 'M4 4.2C4 2.9 4.9 2.2 6 2.2s2 .8 2 1.9c0 1.3-2 1.4-2 3M6 9.7v.1',
  alert: 'M6 2.2v4.6M6 9.6v.1',
  info: 'M6 5.4v4.2M6 2.4v.1',
  rising: 'M2.5 8.5 6 5l3.5 3.5M2.5 5 6 1.5 9.5 5',
  key: 'M6.4 5.6l3.9-3.9M8.3 3.7l1.4 1.4M6.6 7.5a2.2 2.2 0 1 1-4.4 0 2.2 2.2 0 0 1 4.4 0z',
  pending: 'M6 1.6a4.4 4.4 0 1 0 4.4 4.4',
  quarter: 'M6 1.6a4.4 4.4 0 1 0 0 8.8 4.4 4.4 0 0 0 0-8.8zM6 3v3h3',
}

export const inkOf: Record<Tone, string> = {
  good: 'text-good',
  warning: 'text-warning',
  bad: 'text-bad',
  info: 'text-info',
  unknown: 'text-unknown',
}

export const softOf: Record<Tone, string> = {
  good: 'bg-good-soft text-good',
  warning: 'bg-warning-soft text-warning',
  bad: 'bg-bad-soft text-bad',
  info: 'bg-info-soft text-info',
  unknown: 'bg-unknown-soft text-unknown',
}

export function StateMark({ tone, shape, size = 12 }: { tone: Tone; shape: Shape; size?: number }) {
  if (shape === 'none') return null
  return (
    <svg aria-hidden="true" width={size} height={size} viewBox="0 0 12 12" className={`shrink-0 ${inkOf[tone]}`}>
      <path
        d={paths[shape]}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.7"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  )
}
