import type { LiveEvent } from '@malleus/shared/api/live.ts'
import type { QueryClient } from '@tanstack/react-query'
import { learnServerTime, serverNow } from '../lib/clock.ts'
import { createStore } from '../lib/store.ts'
import { lockSession } from '../stores/session-lock.ts'
import { applyLiveEvent, type CacheChange } from './apply-live-event.ts'
import { followLive, type LivePhase } from './follow-live.ts'
import { LiveTab, type TabChannel, type TabMeans } from './live-tab.ts'
import { endOf } from './query-client.ts'
import { memberListQuery } from './members.ts'
import { operationListQuery } from './operations.ts'
import { sessionQuery } from './session.ts'

/** How current this page is: shown on it, never guessed. */
export const livePhase = createStore<LivePhase>('connecting')
let heardAt: number | null = null

/** When the stream last said anything, by the console's clock; null before it did. */
export function lastHeardAt(): number | null {
  return heardAt
}

type Listener = (event: LiveEvent, before: LiveContext) => void
/** What the cache knew before the event changed it. */
export interface LiveContext {
  readonly members: ReturnType<typeof knownMembers>
  readonly operations: ReturnType<typeof knownOperations>
}
const listeners = new Set<Listener>()

/** Hears every event before it changes the cache. */
export function onLiveEvent(listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Follows what happens until the returned function is called. Call once per page, when it is known who is signed in. */
export function startLive(client: QueryClient): () => void {
  const session = client.getQueryData(sessionQuery.queryKey)
  if (session === undefined) throw new Error('nobody is known to be signed in')
  const person = session.principal.tag
  const readAgain = throttledReadAgain(client)
  const context = { members: knownMembers(client), operations: knownOperations(client) }
  const tab = new LiveTab(
    {
      means: tabMeans(),
      person,
      id: crypto.randomUUID(),
      follow: (stream, signal) =>
        followLive({ ...stream, ...onlineWorld, person, onSignedOut: (e) => stream.onSignedOut(endOf(e)) }, signal),
      isVisible: () => document.visibilityState === 'visible',
      now: () => performance.now(),
      every: (ms, callback) => {
        const timer = setInterval(callback, ms)
        return () => clearInterval(timer)
      },
      random: Math.random,
      onPhase: (phase) => {
        if (phase === 'live') heardAt = serverNow()
        livePhase.set(phase)
      },
      onSignedOut: lockSession,
      onEvent: (event) => {
        if (event.kind === 'heartbeat') learnServerTime(event.at)
        heardAt = serverNow()
        for (const listener of listeners) listener(event, context)
        for (const change of applyLiveEvent(event, context)) carryOut(client, change, readAgain)
      },
    },
    session.live,
  )
  tab.start()
  const unbind = restWhileAway(tab)
  return () => {
    unbind()
    tab.stop()
  }
}

const onlineWorld = { fetch: (...request: Parameters<typeof fetch>) => fetch(...request), random: Math.random, wait }

/** Null where the browser has no locks or channels, or keeps them from this page. */
function tabMeans(): TabMeans | null {
  // Browsers without them exist: locks also need a page that came by HTTPS. https://w3c.github.io/web-locks
  if (!('locks' in navigator) || !('BroadcastChannel' in window)) return null
  return { locks: navigator.locks, openChannel }
}

function openChannel(name: string, hear: (message: unknown) => void): TabChannel {
  const channel = new BroadcastChannel(name)
  channel.addEventListener('message', ({ data }) => hear(data))
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel reaches this origin alone and takes no other argument
  return { say: (message) => channel.postMessage(message), close: () => channel.close() }
}

/** A page that the browser keeps for the way back must not hold the lead meanwhile; shown again, it goes on. */
function restWhileAway(tab: LiveTab): () => void {
  const rest = (): void => tab.stop()
  const goOn = (event: PageTransitionEvent): void => {
    if (event.persisted) tab.start()
  }
  addEventListener('pagehide', rest)
  addEventListener('pageshow', goOn)
  return () => {
    removeEventListener('pagehide', rest)
    removeEventListener('pageshow', goOn)
  }
}

function carryOut(client: QueryClient, change: CacheChange, readAgain: (key: readonly unknown[]) => void): void {
  switch (change.kind) {
    case 'members':
      client.setQueryData(memberListQuery(change.cluster).queryKey, change.members, {
        updatedAt: updatedAtOf(client, change.cluster),
      })
      return
    case 'operations':
      client.setQueryData(operationListQuery(change.cluster).queryKey, change.operations)
      return
    case 'read-again':
      readAgain(change.key)
  }
}

/** A health change does not make the rest of a row younger: its own time of reading stays. */
function updatedAtOf(client: QueryClient, cluster: string): number {
  return client.getQueryState(memberListQuery(cluster).queryKey)?.dataUpdatedAt ?? Date.now()
}

/** Reads again at once, and then at most twice a second: a storm of events is one more reading at its end. */
function throttledReadAgain(client: QueryClient): (key: readonly unknown[]) => void {
  const pauseMs = 500
  const pending = new Map<string, { again: boolean }>()
  return function readAgain(key) {
    const name = JSON.stringify(key)
    const running = pending.get(name)
    if (running !== undefined) {
      running.again = true
      return
    }
    const state = { again: false }
    pending.set(name, state)
    void client.invalidateQueries({ queryKey: [...key] })
    setTimeout(() => {
      pending.delete(name)
      if (state.again) readAgain(key)
    }, pauseMs)
  }
}

function knownMembers(client: QueryClient) {
  return (cluster: string) => client.getQueryData(memberListQuery(cluster).queryKey)
}

function knownOperations(client: QueryClient) {
  return (cluster: string) => client.getQueryData(operationListQuery(cluster).queryKey)
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
