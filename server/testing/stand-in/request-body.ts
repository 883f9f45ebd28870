import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import { IncusError } from './replies.ts'

const MOST_BYTES = 1024 * 1024

/** The JSON of a request; undefined when it has none. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue
    length += chunk.length
    if (length > MOST_BYTES) throw new IncusError(400, 'http: request body too large')
    chunks.push(chunk)
  }
  const text = Buffer.concat(chunks).toString()
  if (text.trim() === '') return undefined
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch {
    throw new IncusError(400, 'invalid character in JSON body')
  }
}

/** The body as that shape, or Incus's 400. An absent body is Go's `EOF`. */
export function parseBody<Schema extends z.ZodType>(schema: Schema, body: unknown): z.infer<Schema> {
  if (body === undefined) throw new IncusError(400, 'EOF')
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  throw new IncusError(400, `json: cannot unmarshal body: ${z.prettifyError(parsed.error)}`)
}
