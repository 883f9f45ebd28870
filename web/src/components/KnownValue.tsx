import type { Known } from '@malleus/shared/api/freshness.ts'
import type { ReactNode } from 'react'
import { formatFull } from '../lib/time.ts'
import { Since } from './Ticking.tsx'

/** A value that may be old or missing: old ones say how old, missing ones why. Never a spinner. */
export function KnownValue<T>({
  known,
  children,
}: {
  known: Known<T>
  children: (value: NonNullable<T>) => ReactNode
}) {
  const { value, freshness } = known
  if (value === null || value === undefined)
    return <Missing reason={freshness.kind === 'unavailable' ? freshness.reason : ''} />
  if (freshness.kind !== 'stale') return children(value)
  return (
    <span
      className="inline-flex items-center gap-1.5 text-ink-3"
      title={`As of ${formatFull(freshness.asOf)}: ${freshness.reason}`}
    >
      {children(value)}
      <span className="text-11">
        <Since at={freshness.asOf} />
        <span className="sr-only"> old</span>
      </span>
    </span>
  )
}

/** The same where there is room for the reason. */
export function KnownInWords<T>({
  known,
  children,
}: {
  known: Known<T>
  children: (value: NonNullable<T>) => ReactNode
}) {
  if (known.value !== null) return <KnownValue known={known}>{children}</KnownValue>
  const reason = known.freshness.kind === 'unavailable' ? known.freshness.reason : ''
  return <span className="text-ink-3">not known: {reason}</span>
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
