import { randomBytes } from 'node:crypto'
import { request as requestHttps } from 'node:https'
import type { Agent } from 'node:https'
import type { IncomingHttpHeaders } from 'node:http'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { z } from 'zod'
import type { KeyPair } from '../certificate-authority.ts'
import { readFrame } from './websocket.ts'

/** How a question is put. */
export interface Question {
  method?: string
  body?: unknown
  token?: string
  client?: KeyPair
  headers?: Record<string, string>
  /** Reuses connections between questions. Default: a new connection for each. */
  agent?: Agent
  /** Default 2 000. */
  patienceMs?: number
}

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  /** SHA-256 of the certificate that was presented. */
  presented: string
  type: string
  error: string
  operation: string
  metadata: unknown
  /** The whole body, when it is JSON. */
  raw: Record<string, unknown>
}

/** Thrown when nothing came in time. */
export class OutOfPatience extends Error {
  override readonly name = 'OutOfPatience'
}

/**
 * Asks one member, as plainly as possible. The certificate is not checked but reported: these questions carry nothing
 * worth protecting, and the tests look at what was presented.
 */
export function ask(address: string, path: string, question: Question = {}): Promise<Answer> {
  const { method = 'GET', body, token, client, headers = {}, agent, patienceMs = 2_000 } = question
  const [host = '', port = ''] = address.split(':')
  const content = body === undefined ? undefined : JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const outgoing = requestHttps(
      {
        host,
        port,
        path,
        method,
        agent: agent ?? false,
        // oxlint-disable-next-line malleus/verified-tls -- what is presented is what the tests look at
        rejectUnauthorized: false,
        ...(client === undefined ? {} : { cert: client.certificate, key: client.key }),
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(content === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content) }),
          ...headers,
        },
      },
      (response) => {
        const { socket } = response
        const presented = socket instanceof TLSSocket ? (socket.getPeerX509Certificate()?.fingerprint256 ?? '') : ''
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            presented: presented.replaceAll(':', '').toLowerCase(),
            ...envelope(Buffer.concat(chunks).toString()),
          }),
        )
      },
    )
    const timer = setTimeout(() => outgoing.destroy(new OutOfPatience(`${method} ${path}`)), patienceMs)
    outgoing.on('close', () => clearTimeout(timer))
    outgoing.on('error', reject)
    outgoing.end(content)
  })
}

const Envelope = z.object({ type: z.string(), error: z.string(), operation: z.string(), metadata: z.unknown() })

function envelope(text: string): Omit<Answer, 'status' | 'headers' | 'presented'> {
  if (!text.startsWith('{')) return { type: 'other', error: text, operation: '', metadata: null, raw: {} }
  const value: unknown = JSON.parse(text)
  const { type, error, operation, metadata } = Envelope.parse(value)
  const raw = typeof value === 'object' && value !== null ? { ...value } : {}
  return { type, error, operation, metadata, raw }
}

export interface EventStream {
  /** Everything that came, in order. */
  readonly events: Record<string, unknown>[]
  /** Pings that came. */
  pings: number
  /** Resolves with the first event that fits, also one that came before. */
  next(fits: (event: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>
  closed: Promise<void>
  close(): void
}

/** Opens an event stream of one member. */
export function openEvents(address: string, query: string, question: Question = {}): Promise<EventStream> {
  const [host = '', port = ''] = address.split(':')
  return new Promise((resolve, reject) => {
    const outgoing = requestHttps({
      host,
      port,
      path: `/1.0/events?${query}`,
      agent: false,
      // oxlint-disable-next-line malleus/verified-tls -- what is presented is what the tests look at
      rejectUnauthorized: false,
      ...(question.client === undefined ? {} : { cert: question.client.certificate, key: question.client.key }),
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': randomBytes(16).toString('base64'),
        ...(question.token === undefined ? {} : { authorization: `Bearer ${question.token}` }),
      },
    })
    outgoing.on('upgrade', (_response, socket, head) => resolve(listen(socket, head)))
    outgoing.on('response', (response) => {
      response.resume()
      reject(new Error(`refused with ${response.statusCode}`))
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}

const TEXT = 0x1
const PING = 0x9

function listen(socket: Duplex, head: Buffer): EventStream {
  const waiting = new Set<() => void>()
  let unread = head
  const stream: EventStream = {
    events: [],
    pings: 0,
    next: async (fits) => {
      for (;;) {
        const found = stream.events.find(fits)
        if (found !== undefined) return found
        await new Promise<void>((resolve) => waiting.add(resolve))
      }
    },
    closed: new Promise((resolve) => socket.on('close', () => resolve())),
    close: () => socket.destroy(),
  }
  const receive = (bytes: Buffer): void => {
    unread = Buffer.concat([unread, bytes])
    for (let frame = readFrame(unread); frame !== undefined; frame = readFrame(unread)) {
      unread = unread.subarray(frame.length)
      if (frame.opcode === TEXT)
        stream.events.push(z.record(z.string(), z.unknown()).parse(JSON.parse(frame.payload.toString())))
      if (frame.opcode === PING) stream.pings += 1
    }
    for (const tell of waiting) tell()
    waiting.clear()
  }
  socket.on('data', receive)
  socket.on('error', () => undefined)
  receive(Buffer.alloc(0))
  return stream
}
