import type { ReactNode } from 'react'
import { cx } from '../lib/class-names.ts'

/** A part of a page with a heading of its own. */
export function Card(props: {
  title: string
  note?: ReactNode
  aside?: ReactNode
  children: ReactNode
  className?: string
  id?: string
}) {
  const { title, note, aside, children, className, id } = props
  return (
    <section
      aria-label={title}
      id={id}
      className={cx('min-w-0 scroll-mt-16 overflow-clip rounded-[10px] border border-line bg-surface', className)}
    >
      <header className="flex min-h-11 flex-wrap items-center gap-x-2.5 gap-y-1 border-b border-line px-(--pad-x) py-2">
        <h2 className="text-13">{title}</h2>
        {note !== undefined && <span className="text-12 text-ink-3">{note}</span>}
        {aside !== undefined && <div className="ml-auto flex items-center gap-2">{aside}</div>}
      </header>
      {children}
    </section>
  )
}

/** Rows of a name and what it is. */
export function Facts({ children }: { children: ReactNode }) {
  return <dl className="divide-y divide-line">{children}</dl>
}

export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="grid min-h-(--row) items-center gap-x-3 px-(--pad-x) py-1.5 sm:grid-cols-[132px_minmax(0,1fr)]">
      <dt className="text-ink-3">{name}</dt>
      <dd className="min-w-0">{children}</dd>
    </div>
  )
}
