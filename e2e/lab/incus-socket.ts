// The few calls the lab itself makes to a member, over the member's own Unix socket.

import { request } from 'node:http'
import { z } from 'zod'

/** The member answered, and the answer was an error. */
export class IncusRefused extends Error {
  override readonly name = 'IncusRefused'
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

const Reply = z.discriminatedUnion('type', [
  z.object({ type: z.literal('sync'), metadata: z.unknown() }),
  z.object({ type: z.literal('async'), operation: z.string(), metadata: z.unknown() }),
  z.object({ type: z.literal('error'), error: z.string(), error_code: z.number() }),
])

const FinishedOperation = z.object({ status: z.string(), err: z.string() })

export interface Call {
  readonly method?: 'GET' | 'PUT' | 'POST' | 'PATCH'
  readonly path: string
  readonly body?: object
  /** Default: 30 000. */
  readonly timeoutMs?: number
}

/** The parsed `metadata` of one member's answer; for work in the background, as it was when it began. */
export async function callMember<T>(socket: string, schema: z.ZodType<T>, call: Call): Promise<T> {
  return schema.parse((await ask(socket, call)).metadata)
}

/** Starts work in the background and waits for its end. Throws `IncusRefused` when it fails. */
export async function performOperation(socket: string, call: Call): Promise<void> {
  const reply = await ask(socket, call)
  if (reply.type !== 'async') return
  const ended = await callMember(socket, FinishedOperation, {
    path: `${reply.operation}/wait?timeout=60`,
    timeoutMs: 70_000,
  })
  if (ended.status !== 'Success')
    throw new IncusRefused(500, ended.err === '' ? `operation ended in ${ended.status}` : ended.err)
}

/** Does a member answer on its socket in time? */
export async function answers(socket: string, withinMs: number): Promise<boolean> {
  try {
    await ask(socket, { path: '/1.0', timeoutMs: withinMs })
    return true
  } catch {
    return false
  }
}

async function ask(
  socket: string,
  call: Call,
): Promise<{ type: 'sync'; metadata: unknown } | { type: 'async'; operation: string; metadata: unknown }> {
  const { method = 'GET', path, body, timeoutMs = 30_000 } = call
  const text = await new Promise<string>((resolve, reject) => {
    const outgoing = request(
      {
        socketPath: socket,
        path,
        method,
        headers: { host: 'incus', connection: 'close' },
        signal: AbortSignal.timeout(timeoutMs),
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => resolve(Buffer.concat(chunks).toString()))
        response.on('error', reject)
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body === undefined ? undefined : JSON.stringify(body))
  })
  const reply = Reply.parse(JSON.parse(text))
  if (reply.type === 'error') throw new IncusRefused(reply.error_code, `${method} ${path}: ${reply.error}`)
  return reply
}
