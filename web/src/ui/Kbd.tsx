import type { ReactNode } from 'react'

export function Kbd({ children }: { children: ReactNode }) {
  return (
    <kbd className="rounded border border-line bg-sunken px-1 font-sans text-11 text-ink-3" aria-hidden="true">
      {children}
    </kbd>
  )
}
