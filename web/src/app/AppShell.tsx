import { Outlet, useParams, useRouterState } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, useState } from 'react'
import { livePhase, startLive } from '../api/live.ts'
import { queryClient } from '../api/query-client.ts'
import { mayFollow } from '../api/session.ts'
import { useStore } from '../lib/store.ts'
import { announce } from '../stores/announcements.ts'
import { sessionLock } from '../stores/session-lock.ts'
import { Boundary } from '../ui/Boundary.tsx'
import { DatabaseNotice } from '../components/DatabaseNotice.tsx'
import { LiveLoss, useIsLost } from '../components/LiveLoss.tsx'
import { TargetNotice } from '../components/TargetNotice.tsx'
import { ActivityStrip } from './ActivityStrip.tsx'
import { announceLiveEvents } from './announce-live-events.ts'
import { announceLiveLink } from './announce-live-link.ts'
import { IdleWarning } from './IdleWarning.tsx'
import { preloadRest } from './preload-rest.ts'
import { Sidebar } from './Sidebar.tsx'
import { sectionOf } from './section.ts'
import { TopBar } from './TopBar.tsx'

const NavigationDrawer = lazy(() => import('./NavigationDrawer.tsx').then((m) => ({ default: m.NavigationDrawer })))
const CommandPalette = lazy(() => import('./CommandPalette.tsx').then((m) => ({ default: m.CommandPalette })))
const SessionEnded = lazy(() => import('./SessionEnded.tsx').then((m) => ({ default: m.SessionEnded })))

/** The frame around every page of a cluster: where one is, what the cluster is like, and what runs in it. */
export function AppShell() {
  const [open, setOpen] = useState<'nothing' | 'navigation' | 'palette'>('nothing')
  const lock = useStore(sessionLock)
  const title = useTitle()
  const close = () => setOpen('nothing')

  useEffect(() => {
    const stopAnnouncing = [announceLiveEvents(), announceLiveLink(livePhase, announce)]
    // After the first page is there: the stream begins where the page began to read, so nothing is missed meanwhile.
    let stopLive: () => void = () => undefined
    const idle = whenIdle(() => {
      if (mayFollow()) stopLive = startLive(queryClient)
      void preloadRest()
    })
    return () => {
      idle()
      stopLive()
      for (const stop of stopAnnouncing) stop()
    }
  }, [])
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey)) return
      event.preventDefault()
      setOpen('palette')
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [])

  useEffect(() => {
    document.title = title
  }, [title])

  return (
    <div data-lost={useIsLost() || undefined} className="min-h-dvh md:grid md:grid-cols-[216px_minmax(0,1fr)]">
      <a
        href="#content"
        className="absolute -top-20 left-3 z-50 rounded-lg bg-accent px-3 py-2 text-accent-ink focus:top-3"
      >
        Skip to the page
      </a>
      <aside className="sticky top-0 hidden h-dvh overflow-y-auto border-r border-line bg-rail md:block">
        <Boundary title="Navigation">
          <Sidebar />
        </Boundary>
      </aside>
      <div className="flex min-h-dvh min-w-0 flex-col">
        <TopBar onNavigation={() => setOpen('navigation')} onSearch={() => setOpen('palette')} />
        <main id="content" tabIndex={-1} className="flex grow flex-col gap-3.5 p-3 outline-none sm:p-5">
          <LiveLoss />
          <Boundary title="Cluster database">
            <DatabaseNotice />
          </Boundary>
          <Boundary title="Target">
            <TargetNotice />
          </Boundary>
          <Outlet />
        </main>
        <Boundary title="Activity">
          <ActivityStrip />
        </Boundary>
      </div>
      <IdleWarning />
      <Suspense fallback={null}>
        {open === 'navigation' && <NavigationDrawer onClose={close} />}
        {open === 'palette' && <CommandPalette onClose={close} />}
        {lock !== null && <SessionEnded reason={lock.reason} />}
      </Suspense>
    </div>
  )
}

function useTitle(): string {
  const { cluster = '', member } = useParams({ strict: false })
  const path = useRouterState({ select: (state) => state.location.pathname })
  return [member ?? sectionOf(path), cluster, 'Malleus'].join(' · ')
}

/** Calls back when the browser has nothing to do, at the latest after a second; gives what calls it off. */
function whenIdle(callback: () => void): () => void {
  // Safari has no requestIdleCallback.
  if (!('requestIdleCallback' in window)) {
    const timer = setTimeout(callback, 300)
    return () => clearTimeout(timer)
  }
  const handle = requestIdleCallback(callback, { timeout: 1000 })
  return () => cancelIdleCallback(handle)
}
