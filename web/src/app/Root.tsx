import { Outlet } from '@tanstack/react-router'
import { announcements } from '../stores/announcements.ts'
import { useStore } from '../lib/store.ts'
import { ToastRegion } from './ToastRegion.tsx'

export function Root() {
  return (
    <>
      <Outlet />
      <ToastRegion />
      {/* Several at once are each said: one would otherwise take the place of the other before it was heard. */}
      <div role="status" aria-live="polite" aria-atomic="false" aria-relevant="additions" className="sr-only">
        {useStore(announcements).map(({ id, text }) => (
          <p key={id}>{text}</p>
        ))}
      </div>
    </>
  )
}
