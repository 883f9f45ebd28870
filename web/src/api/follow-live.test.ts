import type { LiveEvent } from '@malleus/shared/api/live.ts'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ApiError } from './api-error.ts'
import { followLive, waitMs, type LivePhase, type LiveWorld } from './follow-live.ts'

type Reply = (signal: AbortSignal) => Response | Promise<Response>

function world(...replies: Reply[]) {
  const stop = new AbortController()
  let position: string | null = null
  const seen = {
    events: [] as LiveEvent[],
    phases: [] as LivePhase[],
    waits: [] as number[],
    asked: [] as (string | null)[],
    signedOut: [] as ApiError[],
  }
  const parts: LiveWorld = {
    fetch: async (_, init) => {
      const headers = new Headers(init?.headers)
      expect(headers.get('x-malleus-person')).toBe('mika')
      seen.asked.push(headers.get('last-event-id'))
      const reply = replies.shift()
      if (reply === undefined) {
        stop.abort()
        throw new TypeError('no more replies')
      }
      return await reply(init!.signal!)
    },
    random: () => 0.5,
    wait: async (ms) => void seen.waits.push(Math.round(ms)),
    person: 'mika',
    position: () => position,
    onEvent: (received, event) => {
      position = received.id ?? position
      if (event !== undefined) seen.events.push(event)
    },
    onPhase: (phase) => seen.phases.push(phase),
    onSignedOut: (error) => seen.signedOut.push(error),
  }
  return { seen, done: followLive(parts, stop.signal) }
}

const streams = (text: string): Reply => {
  return () => new Response(text, { headers: { 'content-type': 'text/event-stream' } })
}
const resync = 'id: e-1\nevent: resync\ndata: {"reason":"new"}\n\n'
const heartbeat = 'event: heartbeat\ndata: {"at":"2026-11-22T06:12:00.000Z"}\n\n'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('a broken stream is continued after its last event', async () => {
  const { seen, done } = world(streams(resync + heartbeat), streams(heartbeat))
  await done
  expect(seen.events.map(({ kind }) => kind)).toEqual(['resync', 'heartbeat', 'heartbeat'])
  expect(seen.asked).toEqual([null, 'e-1', 'e-1'])
})

test('a console that refuses is asked again, later each time', async () => {
  const refuse: Reply = () => new Response('', { status: 503 })
  const { seen, done } = world(refuse, refuse, refuse, streams(heartbeat))
  await done
  expect(seen.waits).toEqual([250, 500, 1000, 100])
})

test('goaway is followed within the time it names', async () => {
  const { seen, done } = world(streams(`${resync}event: goaway\ndata: {"withinMs":2000}\n\n`), streams(heartbeat))
  await done
  expect(seen.waits).toEqual([1000, 100])
})

test('a stream that falls silent is given up', async () => {
  const silent: Reply = (signal) =>
    new Response(
      new ReadableStream({
        start: (controller) => signal.addEventListener('abort', () => controller.error(signal.reason)),
      }),
    )
  const { seen, done } = world(silent)
  await vi.advanceTimersByTimeAsync(7100)
  await done
  expect(seen.phases).toEqual(['connecting', 'live', 'waiting', 'connecting', 'ended'])
})

test.each<[string, Reply]>([
  ['a 401', () => new Response('{}', { status: 401 })],
  ['session-ended', streams('event: session-ended\ndata: {"reason":"signed out elsewhere"}\n\n')],
])('%s ends the following for good', async (_, reply) => {
  const { seen, done } = world(reply, streams(heartbeat))
  await done
  expect(seen.asked).toHaveLength(1)
  expect(seen.signedOut).toHaveLength(1)
  expect(seen.phases.at(-1)).toBe('ended')
})

test('an event that is not understood is passed over', async () => {
  const { seen, done } = world(streams(`event: novelty\ndata: {}\n\nevent: heartbeat\ndata: nonsense\n\n${heartbeat}`))
  await done
  expect(seen.events.map(({ kind }) => kind)).toEqual(['heartbeat'])
})

test('the wait doubles, for a minute to no more than two seconds, then to ten, scattered by a quarter', () => {
  expect([0, 1, 2, 3, 6, 45, 46, 1_100].map((failures) => waitMs(failures, () => 0.5))).toEqual([
    100, 250, 500, 1000, 1400, 1400, 10_000, 10_000,
  ])
  expect(waitMs(60, () => 0)).toBe(7500)
  expect(waitMs(60, () => 1)).toBe(12_500)
  expect(waitMs(20, () => 1)).toBe(1750)
})
