import { request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import type { SignedIn } from '../support/signed-in.ts'

/** What came down a live stream. */
export interface LiveCount {
  events: number
  /** How often it broke and was opened again. */
  reopened: number
}

/** Keeps the live stream of a session open, as its page does, and reads whatever comes, until the signal. Never rejects. */
export async function readLive(person: () => SignedIn, count: LiveCount, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await readOnce(person(), count, signal)
    if (signal.aborted) return
    count.reopened += 1
    await pause(1_000, undefined, { signal }).catch(() => undefined)
  }
}

/** Resolves when the stream has ended, however it did. */
function readOnce({ url, headers }: SignedIn, count: LiveCount, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const outgoing = request(
      new URL('/api/live', url),
      { headers: { ...headers, accept: 'text/event-stream' }, agent: false, signal },
      (response) => {
        response.setEncoding('utf8').on('data', (text: string) => {
          count.events += text.split('\n\n').length - 1
        })
        response.on('error', () => resolve())
        response.on('close', () => resolve())
      },
    )
    outgoing.on('error', () => resolve())
    outgoing.end()
  })
}
