import { useRouterState } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'
import { Drawer } from '../ui/Dialog.tsx'
import { Sidebar } from './Sidebar.tsx'

/** The rail, where the page has no room for it; closes once a page was chosen. */
export function NavigationDrawer({ onClose }: { onClose: () => void }) {
  const href = useRouterState({ select: (state) => state.location.href })
  const opened = useRef(href)
  useEffect(() => {
    if (href !== opened.current) onClose()
  }, [href, onClose])
  return (
    <Drawer label="Navigation" onClose={onClose}>
      <Sidebar />
    </Drawer>
  )
}
