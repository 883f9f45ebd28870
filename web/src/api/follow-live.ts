import { LiveEvent } from '@malleus/shared/api/live.ts'
import { errorFromResponse, type ApiError } from './api-error.ts'
import { EventStreamParser, type StreamEvent } from './event-stream.ts'

/** How the stream stands: `waiting` is between two attempts, `ended` is for good. */
export type LivePhase = 'connecting' | 'live' | 'waiting' | 'ended'

/** What following needs from the world. */
export interface LiveWorld {
  readonly fetch: typeof fetch
  readonly random: () => number
  /** Resolves after so many milliseconds, or at once when the signal aborts. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>
  /** Whose page it is: the console refuses when the cookie is somebody else's by now. */
  readonly person: string
  /** Id of the last event that the page took, after which the stream goes on; null before it has any. */
  readonly position: () => string | null
  /** What came, and what it means; undefined where this page does not understand it. */
  readonly onEvent: (received: StreamEvent, event: LiveEvent | undefined) => void
  readonly onPhase: (phase: LivePhase) => void
  /** The session is over; following has stopped. */
  readonly onSignedOut: (error: ApiError) => void
}

/** The console sends a heartbeat every two seconds: three missed ones mean that the connection is dead. */
const silenceMs = 7000
/** A console that is started anew is back within seconds, and its pages two seconds later. */
const longestWaitAtFirstMs = 1_400
const longestWaitMs = 10_000
/** About a minute. */
const atFirst = 45

/**
 * Follows the live stream until the signal aborts or the session ends. A broken stream is continued after its last
 * event; where that is impossible the console says `resync`. One request at a time, so a page never holds two streams.
 */
export async function followLive(world: LiveWorld, signal: AbortSignal): Promise<void> {
  let failures = 0
  while (!signal.aborted) {
    world.onPhase('connecting')
    const end = await readOnce(world, signal)
    // Once, the browser may have got the cookie of the session that took its place just after this was asked.
    const mayBeRenewed = end.kind === 'signed-out' && end.error.code === 'session_renewed' && failures === 0
    if (end.kind === 'signed-out' && !mayBeRenewed) {
      world.onPhase('ended')
      world.onSignedOut(end.error)
      return
    }
    if (signal.aborted) break
    failures = end.heard ? 0 : failures + 1
    world.onPhase('waiting')
    await world.wait(end.kind === 'goaway' ? world.random() * end.withinMs : waitMs(failures, world.random), signal)
  }
  world.onPhase('ended')
}

/** After a stream that had been alive: at once, a little scattered; then doubling, in the end to ten seconds. */
export function waitMs(failures: number, random: () => number): number {
  if (failures === 0) return 200 * random()
  const exact = Math.min(failures <= atFirst ? longestWaitAtFirstMs : longestWaitMs, 250 * 2 ** (failures - 1))
  return exact * (0.75 + 0.5 * random())
}

type End = { readonly heard: boolean } & (
  | { readonly kind: 'broken' }
  | { readonly kind: 'goaway'; readonly withinMs: number }
  | { readonly kind: 'signed-out'; readonly error: ApiError }
)

async function readOnce(world: LiveWorld, signal: AbortSignal): Promise<End> {
  const silence = new AbortController()
  const either = AbortSignal.any([signal, silence.signal])
  let timer = setTimeout(() => silence.abort(), silenceMs)
  let heard = false
  try {
    const headers = new Headers({
      accept: 'text/event-stream',
      'x-console-request': '1',
      'x-malleus-person': world.person,
    })
    const position = world.position()
    if (position !== null) headers.set('last-event-id', position)
    const response = await world.fetch('/api/live', { headers, signal: either, redirect: 'error', cache: 'no-store' })
    if (response.status === 401) {
      const body: unknown = await response.json().catch(() => undefined)
      return { kind: 'signed-out', heard, error: errorFromResponse(401, body, undefined) }
    }
    if (!response.ok || response.body === null) return { kind: 'broken', heard }
    world.onPhase('live')
    const parser = new EventStreamParser()
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return { kind: 'broken', heard }
      clearTimeout(timer)
      timer = setTimeout(() => silence.abort(), silenceMs)
      for (const received of parser.push(value)) {
        const event = parseLiveEvent(received)
        heard ||= event !== undefined
        world.onEvent(received, event)
        if (event === undefined) continue
        if (event.kind === 'goaway') return { kind: 'goaway', heard, withinMs: event.withinMs }
        if (event.kind === 'session-ended') {
          const error = errorFromResponse(401, undefined, undefined)
          return { kind: 'signed-out', heard, error }
        }
      }
    }
  } catch {
    // Cut, silent or aborted: in each case the stream is over and the caller decides what follows.
    return { kind: 'broken', heard }
  } finally {
    clearTimeout(timer)
    silence.abort()
  }
}

/** A kind that this page does not know yet is passed over: the console may be newer than the page. */
export function parseLiveEvent({ event, data }: StreamEvent): LiveEvent | undefined {
  try {
    const rest: unknown = JSON.parse(data)
    const parsed = LiveEvent.safeParse({ ...(typeof rest === 'object' ? rest : {}), kind: event })
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}
