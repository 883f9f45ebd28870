// The receiving half of RFC 6455 over a connection that has been upgraded. Written out, because undici's WebSocket
// hides pings, by which alone an idle stream of Incus shows that it is alive, offers compression, sends the headers of
// a browser's fetch, and cannot be cut off from a member that no longer answers.

import { createHash, randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'

export interface WebSocketHandlers {
  /** A whole message; text has been checked to be UTF-8. */
  onMessage(text: string): void
  onPing(): void
}

export type Frame =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'binary'; readonly bytes: Buffer }
  | { readonly kind: 'ping' | 'pong'; readonly payload: Buffer }
  | { readonly kind: 'close'; readonly code: number; readonly reason: string }

/** The peer does not keep to RFC 6455; `closeCode` is what it is told. */
export class WebSocketProtocolError extends Error {
  override readonly name = 'WebSocketProtocolError'
  readonly closeCode: number

  constructor(closeCode: number, message: string) {
    super(message)
    this.closeCode = closeCode
  }
}

const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

/** Cuts the bytes that a server sends into frames and joins fragmented messages. Holds at most one message. */
export class FrameReader {
  readonly #mostBytes: number
  #unread: Buffer = Buffer.alloc(0)
  #message: { opcode: number; parts: Buffer[]; length: number } | null = null

  constructor(mostMessageBytes: number) {
    this.#mostBytes = mostMessageBytes
  }

  /** The frames that are complete with these bytes. Throws a WebSocketProtocolError; then nothing more may be read. */
  read(bytes: Buffer): Frame[] {
    this.#unread = this.#unread.length === 0 ? bytes : Buffer.concat([this.#unread, bytes])
    const frames: Frame[] = []
    for (;;) {
      const header = headerOf(this.#unread)
      if (header === null) return frames
      const isControl = header.opcode >= opcodes.close
      const most = isControl ? 125 : this.#mostBytes - (this.#message?.length ?? 0)
      if (header.length > most) {
        throw new WebSocketProtocolError(isControl ? 1002 : 1009, `a frame of ${header.length} bytes is too long`)
      }
      const end = header.size + header.length
      if (this.#unread.length < end) return frames
      const payload = this.#unread.subarray(header.size, end)
      this.#unread = this.#unread.subarray(end)
      const frame = isControl ? controlFrame(header, payload) : this.#dataFrame(header, payload)
      if (frame !== null) frames.push(frame)
    }
  }

  #dataFrame(header: FrameHeader, payload: Buffer): Frame | null {
    const isContinuation = header.opcode === opcodes.continuation
    if (isContinuation !== (this.#message !== null)) throw broken('a fragment is out of place')
    if (!isContinuation && header.opcode !== opcodes.text && header.opcode !== opcodes.binary) {
      throw broken(`opcode ${header.opcode} does not exist`)
    }
    const message = this.#message ?? { opcode: header.opcode, parts: [], length: 0 }
    message.parts.push(payload)
    message.length += payload.length
    this.#message = header.final ? null : message
    if (!header.final) return null
    const bytes = message.parts.length === 1 ? payload : Buffer.concat(message.parts)
    return message.opcode === opcodes.text ? { kind: 'text', text: utf8(bytes) } : { kind: 'binary', bytes }
  }
}

/** A WebSocket to a member. It ends when the member closes it, when bytes make no sense, or with `close`. */
export class WebSocketConnection {
  /** Settles, never rejects, when it is over. */
  readonly closed: Promise<{ readonly reason: string }>
  readonly #socket: Duplex
  readonly #reader: FrameReader
  readonly #handlers: WebSocketHandlers
  #reason: string | null = null

  constructor(socket: Duplex, handlers: WebSocketHandlers, mostMessageBytes: number) {
    this.#socket = socket
    this.#handlers = handlers
    this.#reader = new FrameReader(mostMessageBytes)
    this.closed = new Promise((resolve) => {
      socket.once('close', () => resolve({ reason: this.#reason ?? 'the connection was lost' }))
    })
    socket.on('error', (error) => {
      this.#reason ??= error.message
    })
    socket.once('end', () => this.#end('the member closed the connection'))
    socket.on('data', (bytes: Buffer) => this.#read(bytes))
  }

  /** Says good-bye and ends the connection without waiting for an answer, which a member that is stuck never gives. */
  close(): void {
    if (this.#reason !== null) return
    this.#socket.write(closeFrame(1000))
    this.#end('it was closed here')
  }

  #read(bytes: Buffer): void {
    if (this.#reason !== null) return
    try {
      for (const frame of this.#reader.read(bytes)) this.#take(frame)
    } catch (error) {
      if (error instanceof WebSocketProtocolError) this.#socket.write(closeFrame(error.closeCode))
      this.#end(error instanceof Error ? error.message : String(error))
    }
  }

  #take(frame: Frame): void {
    if (this.#reason !== null) return
    switch (frame.kind) {
      case 'text':
        this.#handlers.onMessage(frame.text)
        break
      case 'ping':
        this.#socket.write(clientFrame(opcodes.pong, frame.payload))
        this.#handlers.onPing()
        break
      case 'close':
        this.#socket.write(closeFrame(frame.code === 1005 ? 1000 : frame.code))
        this.#end(`the member closed the stream (${frame.code}${frame.reason === '' ? '' : `, ${frame.reason}`})`)
        break
      case 'binary':
        throw new WebSocketProtocolError(1003, 'a binary message was not expected')
      case 'pong':
        break
    }
  }

  #end(reason: string): void {
    this.#reason ??= reason
    this.#socket.destroy()
  }
}

/** The headers with which a WebSocket is asked for, and the check of the answer (RFC 6455, 4.1). */
export function webSocketHeaders(): {
  readonly headers: readonly string[]
  /** Throws unless the answer accepts this very request, and nothing beside it. */
  check(answer: Readonly<Record<string, string | string[] | undefined>>): void
} {
  const key = randomBytes(16).toString('base64')
  return {
    headers: ['sec-websocket-key', key, 'sec-websocket-version', '13'],
    check: (answer) => {
      const expected = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
      if (answer['sec-websocket-accept'] !== expected) throw broken('the answer accepts another request')
      if (answer['sec-websocket-extensions'] !== undefined) throw broken('the answer has extensions nobody asked for')
    },
  }
}

interface FrameHeader {
  readonly final: boolean
  readonly opcode: number
  /** Of the payload. */
  readonly length: number
  /** Of the header itself. */
  readonly size: number
}

function headerOf(bytes: Buffer): FrameHeader | null {
  const [first, second] = bytes
  if (first === undefined || second === undefined) return null
  if ((first & 0x70) !== 0) throw broken('a reserved bit is set')
  if ((second & 0x80) !== 0) throw broken('a server does not mask its frames')
  const opcode = first & 0x0f
  const final = (first & 0x80) !== 0
  const short = second & 0x7f
  const size = short === 126 ? 4 : short === 127 ? 10 : 2
  if (bytes.length < size) return null
  if (size === 2) return { final, opcode, length: short, size }
  const length = size === 4 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
  return { final, opcode, length, size }
}

function controlFrame({ final, opcode }: FrameHeader, payload: Buffer): Frame {
  if (!final) throw broken('a control frame is fragmented')
  if (opcode === opcodes.ping) return { kind: 'ping', payload }
  if (opcode === opcodes.pong) return { kind: 'pong', payload }
  if (opcode !== opcodes.close) throw broken(`opcode ${opcode} does not exist`)
  if (payload.length === 0) return { kind: 'close', code: 1005, reason: '' }
  if (payload.length === 1) throw broken('a close frame has half a code')
  return { kind: 'close', code: payload.readUInt16BE(0), reason: utf8(payload.subarray(2)) }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function utf8(bytes: Buffer): string {
  try {
    return decoder.decode(bytes)
  } catch (error) {
    throw new WebSocketProtocolError(1007, `text is not UTF-8: ${String(error)}`)
  }
}

function closeFrame(code: number): Buffer {
  const payload = Buffer.alloc(2)
  payload.writeUInt16BE(code)
  return clientFrame(opcodes.close, payload)
}

/** A client masks what it sends, so that nothing on the way can take it for a request (RFC 6455, 5.3). */
function clientFrame(opcode: number, payload: Buffer): Buffer {
  const mask = randomBytes(4)
  const frame = Buffer.alloc(6 + payload.length)
  frame[0] = 0x80 | opcode
  frame[1] = 0x80 | payload.length
  mask.copy(frame, 2)
  for (let at = 0; at < payload.length; at++) frame[6 + at] = (payload[at] ?? 0) ^ (mask[at % 4] ?? 0)
  return frame
}

function broken(message: string): WebSocketProtocolError {
  return new WebSocketProtocolError(1002, message)
}
