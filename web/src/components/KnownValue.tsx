import type { Known } from '@malleus/shared/api/freshness.ts'
import type { ReactNode } from 'react'
import { formatFull } from '../lib/time.ts'
import { cx } from '../lib/class-names.ts'
import { Since } from './Ticking.tsx'

/** A value that may be old or missing: old ones say how old, missing ones why. Never a spinner. */
export function KnownValue<T>(props: {
  known: Known<T>
  children: (value: NonNullable<T>) => ReactNode
  /** Its neighbour says how old both are. */
  quiet?: boolean
  /** It takes the whole width. */
  wide?: boolean
}) {
  const { known, children, quiet = false, wide = false } = props
  const { value, freshness } = known
  if (value === null || value === undefined)
    return <Missing reason={freshness.kind === 'unavailable' ? freshness.reason : ''} />
  if (freshness.kind !== 'stale') return children(value)
  return (
    <span
      className={cx('max-w-full items-center gap-1.5 text-ink-3', wide ? 'flex' : 'inline-flex')}
      title={`As of ${formatFull(freshness.asOf)}: ${freshness.reason}`}
    >
      <span className={cx('min-w-0', wide && 'grow')}>{children(value)}</span>
      <span className={quiet ? 'sr-only' : 'shrink-0 text-11 whitespace-nowrap'}>
        <Since at={freshness.asOf} />
        <span className="sr-only"> old</span>
      </span>
    </span>
  )
}

/** The same in words, where the reason of what is missing stands nearby. */
export function KnownInWords<T>(props: {
  known: Known<T>
  children: (value: NonNullable<T>) => ReactNode
  wide?: boolean
}) {
  const { known } = props
  if (known.value !== null) return <KnownValue {...props} />
  const reason = known.freshness.kind === 'unavailable' ? known.freshness.reason : ''
  return (
    <span className="text-ink-3" title={reason}>
      not known
    </span>
  )
}

/** Something that is not known, and why. */
export function Missing({ reason }: { reason: string }) {
  return (
    <span title={reason} className="inline-block text-ink-3">
      <span aria-hidden="true" className="hatched inline-block h-2.5 w-6 rounded-xs align-middle" />
      <span className="sr-only">not known: {reason}</span>
    </span>
  )
}
