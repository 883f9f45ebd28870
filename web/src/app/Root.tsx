import { Outlet } from '@tanstack/react-router'
import { announcement } from '../stores/announcements.ts'
import { useStore } from '../lib/store.ts'
import { ToastRegion } from './ToastRegion.tsx'

export function Root() {
  return (
    <>
      <Outlet />
      <ToastRegion />
      <div role="status" aria-live="polite" className="sr-only">
        {useStore(announcement)}
      </div>
    </>
  )
}
