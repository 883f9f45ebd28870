import type { LiveEvent } from '@malleus/shared/api/live.ts'
import type { QueryClient } from '@tanstack/react-query'
import { learnServerTime, serverNow } from '../lib/clock.ts'
import { createStore } from '../lib/store.ts'
import { lockSession } from '../stores/session-lock.ts'
import { applyLiveEvent, type CacheChange } from './apply-live-event.ts'
import { followLive, type LivePhase } from './follow-live.ts'
import { endOf } from './query-client.ts'
import { memberListQuery } from './members.ts'
import { operationListQuery } from './operations.ts'

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

/** Follows the stream until the returned function is called. Call once per tab. */
export function startLive(client: QueryClient): () => void {
  const stop = new AbortController()
  const readAgain = throttledReadAgain(client)
  const context = { members: knownMembers(client), operations: knownOperations(client) }
  void followLive(
    {
      fetch: (input, init) => fetch(input, init),
      random: Math.random,
      wait,
      onPhase: (phase) => {
        if (phase === 'live') heardAt = serverNow()
        livePhase.set(phase)
      },
      onSignedOut: (error) => lockSession(endOf(error)),
      onEvent: (event) => {
        if (event.kind === 'heartbeat') learnServerTime(event.at)
        heardAt = serverNow()
        if (event.kind === 'session-ended') lockSession(event.reason)
        for (const listener of listeners) listener(event, context)
        for (const change of applyLiveEvent(event, context)) carryOut(client, change, readAgain)
      },
    },
    stop.signal,
  )
  return () => stop.abort()
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
