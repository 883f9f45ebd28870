import type { ReactNode } from 'react'
import { cx } from '../lib/class-names.ts'
import { softOf, StateMark, type Shape, type Tone } from './StateMark.tsx'

/** A state: colour, shape and word together. */
export function Badge({ tone, shape, children }: { tone: Tone; shape: Shape; children: ReactNode }) {
  return (
    <span
      className={cx(
        'inline-flex h-[22px] items-center gap-1.5 rounded-full pr-2.5 pl-2 text-12 font-strong whitespace-nowrap',
        softOf[tone],
        tone === 'unknown' && 'hatched-soft',
      )}
    >
      <StateMark tone={tone} shape={shape} />
      {children}
    </span>
  )
}

/** A word that names what something is, not how it is. */
export function Chip({ children, title }: { children: ReactNode; title?: string }) {
  return (
    <span
      title={title}
      className="inline-flex h-5 items-center rounded-[5px] border border-line px-1.5 text-11 text-ink-2 whitespace-nowrap"
    >
      {children}
    </span>
  )
}
