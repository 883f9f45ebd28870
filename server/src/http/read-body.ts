import type { IncomingMessage } from 'node:http'
import type { Clock } from '../lib/clock.ts'
import { Refusal } from './problem.ts'

/**
 * The whole body, at most `mostBytes`. Refuses before reading when the length says it already, and gives up on a
 * sender from whom nothing has come for `idleMs`.
 */
export async function readBody(
  request: IncomingMessage,
  { mostBytes, idleMs, clock }: { readonly mostBytes: number; readonly idleMs: number; readonly clock: Clock },
): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > mostBytes) throw tooLarge()
  const chunks: Buffer[] = []
  let bytes = 0
  let cancelIdle = giveUpAfter()
  try {
    for await (const chunk of request) {
      cancelIdle()
      cancelIdle = giveUpAfter()
      if (!(chunk instanceof Buffer)) throw new TypeError('a body without an encoding comes in buffers')
      bytes += chunk.length
      if (bytes > mostBytes) throw tooLarge()
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof Refusal) throw error
    throw new Refusal('bad_body', 'The body did not arrive whole.', { closes: true, cause: error })
  } finally {
    cancelIdle()
  }
  return Buffer.concat(chunks, bytes)

  function giveUpAfter(): () => void {
    return clock.after(idleMs, () => request.destroy(new Error(`nothing came for ${idleMs} ms`)))
  }
}

/** The media type of a request in lower case, without its parameters; empty when it has none. */
export function mediaType(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

function tooLarge(): Refusal {
  return new Refusal('body_too_large', undefined, { closes: true })
}
