import { createHash } from 'node:crypto'
import type { Duplex } from 'node:stream'

/** What RFC 6455 section 4.2.2 answers to a handshake. */
export function acceptWebSocket(key: string): string {
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  return [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
    '',
    '',
  ].join('\r\n')
}

const TEXT = 0x1
const CLOSE = 0x8
const PING = 0x9
const PONG = 0xa

/** The server's end of a WebSocket that only talks: it answers pings and closing, and drops what else comes in. */
export class TalkingSocket {
  readonly #stream: Duplex
  #unread: Buffer = Buffer.alloc(0)
  #closing = false

  constructor(stream: Duplex) {
    this.#stream = stream
    stream.on('data', (bytes: Buffer) => this.#receive(bytes))
    stream.on('end', () => stream.destroy())
  }

  /** Bytes the other side has not taken yet. */
  get backlog(): number {
    return this.#stream.writableLength
  }

  send(text: string): void {
    this.#write(TEXT, Buffer.from(text))
  }

  ping(): void {
    this.#write(PING, Buffer.alloc(0))
  }

  close(code = 1000): void {
    if (this.#closing) return
    const payload = Buffer.alloc(2)
    payload.writeUInt16BE(code)
    this.#write(CLOSE, payload)
    this.#closing = true
    this.#stream.end()
  }

  #write(opcode: number, payload: Buffer): void {
    if (this.#closing || this.#stream.destroyed) return
    this.#stream.write(Buffer.concat([frameHead(opcode, payload.length), payload]))
  }

  #receive(bytes: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, bytes])
    for (let frame = readFrame(this.#unread); frame !== undefined; frame = readFrame(this.#unread)) {
      this.#unread = this.#unread.subarray(frame.length)
      if (frame.opcode === PING) this.#write(PONG, frame.payload)
      if (frame.opcode === CLOSE) this.close(frame.payload.length >= 2 ? frame.payload.readUInt16BE(0) : 1000)
    }
  }
}

function frameHead(opcode: number, length: number): Buffer {
  const first = 0x80 | opcode
  if (length < 126) return Buffer.from([first, length])
  if (length < 65_536) return Buffer.from([first, 126, length >> 8, length & 0xff])
  const head = Buffer.alloc(10)
  head[0] = first
  head[1] = 127
  head.writeBigUInt64BE(BigInt(length), 2)
  return head
}

export interface Frame {
  opcode: number
  payload: Buffer
  /** Bytes of the whole frame. */
  length: number
}

/** The first frame of the bytes, unmasked; nothing when it has not arrived whole. */
export function readFrame(bytes: Buffer): Frame | undefined {
  if (bytes.length < 2) return undefined
  const masked = ((bytes[1] ?? 0) & 0x80) !== 0
  let length = (bytes[1] ?? 0) & 0x7f
  let at = 2
  if (length === 126) {
    if (bytes.length < 4) return undefined
    length = bytes.readUInt16BE(2)
    at = 4
  } else if (length === 127) {
    if (bytes.length < 10) return undefined
    length = Number(bytes.readBigUInt64BE(2))
    at = 10
  }
  const maskAt = at
  if (masked) at += 4
  if (bytes.length < at + length) return undefined
  const payload = Buffer.from(bytes.subarray(at, at + length))
  if (masked) {
    for (let index = 0; index < length; index += 1) {
      payload[index] = (payload[index] ?? 0) ^ (bytes[maskAt + (index % 4)] ?? 0)
    }
  }
  return { opcode: (bytes[0] ?? 0) & 0x0f, payload, length: at + length }
}
