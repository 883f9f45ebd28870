import type { ReactNode } from 'react'
import { cx } from '../lib/class-names.ts'
import { inkOf, StateMark, type Shape, type Tone } from './StateMark.tsx'

const boxes: Record<Tone, string> = {
  good: 'border-line bg-good-soft',
  warning: 'border-warning-line bg-warning-soft',
  bad: 'border-bad-line bg-bad-soft',
  info: 'border-info-line bg-info-soft',
  unknown: 'border-line bg-unknown-soft',
}

/** One state in one sentence, with what can be done about it. */
export function Notice(props: {
  tone: Tone
  shape?: Shape
  headline?: ReactNode
  children?: ReactNode
  actions?: ReactNode
  alert?: boolean
}) {
  const { tone, shape = 'alert', headline, children, actions, alert } = props
  return (
    <div
      role={alert ? 'alert' : undefined}
      className={cx(
        'flex flex-wrap items-center gap-x-3 gap-y-2 rounded-[10px] border px-3.5 py-2.5',
        boxes[tone],
        inkOf[tone],
      )}
    >
      <div className="flex min-w-56 flex-1 items-start gap-3">
        <span className="mt-[3px]">
          <StateMark tone={tone} shape={shape} size={14} />
        </span>
        <p className="min-w-0">
          {headline !== undefined && <strong className="mr-1.5">{headline}</strong>}
          {children}
        </p>
      </div>
      {actions !== undefined && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
    </div>
  )
}
