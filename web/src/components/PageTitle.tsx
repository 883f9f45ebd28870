import type { ReactNode } from 'react'
import { LiveIndicator } from './LiveIndicator.tsx'

/** What the page is, with one sentence of state, and how current it is. */
export function PageTitle(props: { title: ReactNode; sentence?: ReactNode; actions?: ReactNode }) {
  const { title, sentence, actions } = props
  return (
    <header className="flex min-h-8 flex-wrap items-center gap-x-3 gap-y-1.5">
      <h1 className="text-18 tracking-[-0.01em]">{title}</h1>
      {sentence !== undefined && <p className="min-w-0 text-ink-2">{sentence}</p>}
      <div className="ml-auto flex flex-wrap items-center gap-3">
        <LiveIndicator />
        {actions}
      </div>
    </header>
  )
}
