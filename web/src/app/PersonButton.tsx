import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useRef, useState } from 'react'
import { sessionQuery } from '../api/session.ts'

const PersonMenu = lazy(() => import('./PersonMenu.tsx').then((m) => ({ default: m.PersonMenu })))

export function PersonButton() {
  const [open, setOpen] = useState(false)
  const trigger = useRef<HTMLButtonElement>(null)
  const principal = useQuery(sessionQuery).data?.principal
  return (
    <>
      <button
        ref={trigger}
        type="button"
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => setOpen(true)}
        className="grid size-7 shrink-0 cursor-default place-items-center rounded-full bg-accent text-11 font-strong text-accent-ink hover:bg-accent-hover"
      >
        <span aria-hidden="true">{initials(principal?.name ?? '')}</span>
        <span className="sr-only">{principal?.name ?? 'You'}: theme, density, sign out</span>
      </button>
      {open && (
        <Suspense fallback={null}>
          <PersonMenu trigger={trigger} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  )
}

/** "Mika Kallio" is MK, "jo@example.net" is JO. */
export function initials(name: string): string {
  const words = (name.split('@')[0] ?? '').split(/[\s._-]+/).filter(Boolean)
  const letters = words.length > 1 ? words.map((word) => word[0]).slice(0, 2) : Array.from(words[0] ?? '').slice(0, 2)
  return letters.join('').toUpperCase()
}
