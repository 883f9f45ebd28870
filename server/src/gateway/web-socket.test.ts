import { Duplex } from 'node:stream'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { thrownBy } from '../../testing/thrown-by.ts'
import type { Frame } from './web-socket.ts'
import { FrameReader, WebSocketConnection, WebSocketProtocolError, webSocketHeaders } from './web-socket.ts'

const text = 1
const binary = 2
const close = 8
const ping = 9
const pong = 10

/** A frame as a server writes it. */
function frame(
  opcode: number,
  payload: Buffer | string = '',
  { final = true, masked = false, reserved = 0 } = {},
): Buffer {
  const body = Buffer.from(payload)
  const first = (final ? 0x80 : 0) | reserved | opcode
  const mask = masked ? 0x80 : 0
  if (body.length < 126) return Buffer.concat([Buffer.from([first, mask | body.length]), body])
  const header = Buffer.alloc(body.length < 65_536 ? 4 : 10)
  header[0] = first
  header[1] = mask | (header.length === 4 ? 126 : 127)
  if (header.length === 4) header.writeUInt16BE(body.length, 2)
  else header.writeBigUInt64BE(BigInt(body.length), 2)
  return Buffer.concat([header, body])
}

function read(bytes: Buffer, most = 1_000_000): Frame[] {
  return new FrameReader(most).read(bytes)
}

describe('frames', () => {
  it.each([0, 1, 125, 126, 65_535, 65_536])('a message of %d bytes', (length) => {
    expect(read(frame(text, 'x'.repeat(length)))).toEqual([{ kind: 'text', text: 'x'.repeat(length) }])
  })

  it('fragments are one message, with control frames between them', () => {
    const bytes = Buffer.concat([
      frame(text, 'a', { final: false }),
      frame(ping, 'p'),
      frame(0, 'b', { final: false }),
      frame(0, 'c'),
    ])
    expect(read(bytes)).toEqual([
      { kind: 'ping', payload: Buffer.from('p') },
      { kind: 'text', text: 'abc' },
    ])
  })

  it('a character may be cut by fragments', () => {
    const bytes = Buffer.from('hä')
    expect(
      read(Buffer.concat([frame(text, bytes.subarray(0, 2), { final: false }), frame(0, bytes.subarray(2))])),
    ).toEqual([{ kind: 'text', text: 'hä' }])
  })

  it('a close frame has a code and a reason, or neither', () => {
    expect(read(frame(close, Buffer.from([0x03, 0xf1, 0x62, 0x79, 0x65])))).toEqual([
      { kind: 'close', code: 1009, reason: 'bye' },
    ])
    expect(read(frame(close))).toEqual([{ kind: 'close', code: 1005, reason: '' }])
  })

  it.each<[string, Buffer, number]>([
    ['a masked frame', frame(text, '', { masked: true }), 1002],
    ['a reserved bit', frame(text, 'x', { reserved: 0x40 }), 1002],
    ['an unknown opcode', frame(3, 'x'), 1002],
    ['an unknown control opcode', frame(11, 'x'), 1002],
    ['a fragmented control frame', frame(ping, 'x', { final: false }), 1002],
    ['a long control frame', frame(ping, 'x'.repeat(126)), 1002],
    ['half a close code', frame(close, 'x'), 1002],
    ['a continuation of nothing', frame(0, 'x'), 1002],
    ['a message within a message', Buffer.concat([frame(text, 'x', { final: false }), frame(text, 'y')]), 1002],
    ['text that is not UTF-8', frame(text, Buffer.from([0xff])), 1007],
    ['a message that is too long', frame(text, 'x'.repeat(101)), 1009],
    [
      'fragments that are too long together',
      Buffer.concat([frame(text, 'x'.repeat(60), { final: false }), frame(0, 'x'.repeat(60))]),
      1009,
    ],
  ])('%s is refused', (_, bytes, code) => {
    const thrown = thrownBy(() => read(bytes, 100))
    expect(thrown).toBeInstanceOf(WebSocketProtocolError)
    expect(thrown).toMatchObject({ closeCode: code })
  })

  it('T-fuzz: however the bytes are cut, the same frames come out', () => {
    const message = fc.tuple(fc.constantFrom(text, binary, ping, pong), fc.string({ maxLength: 100 }))
    fc.assert(
      fc.property(fc.array(message, { maxLength: 10 }), fc.array(fc.nat({ max: 200 })), (messages, cuts) => {
        const bytes = Buffer.concat(messages.map(([opcode, payload]) => frame(opcode, payload)))
        const whole = read(bytes)
        expect(whole).toHaveLength(messages.length)
        const reader = new FrameReader(1_000_000)
        const pieces: Frame[] = []
        let at = 0
        for (const cut of [...cuts, bytes.length]) {
          pieces.push(...reader.read(bytes.subarray(at, at + cut)))
          at = Math.min(bytes.length, at + cut)
        }
        expect(pieces).toEqual(whole)
      }),
    )
  })

  it('T-fuzz: any bytes are frames, wait for more, or are refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const thrown = thrownBy(() => read(Buffer.from(bytes), 1_000))
        expect(thrown ?? new WebSocketProtocolError(1002, '')).toBeInstanceOf(WebSocketProtocolError)
      }),
      { numRuns: 10_000 },
    )
  })
})

/** Both ends of a connection, as far as a WebSocket can tell. */
class Line extends Duplex {
  readonly written: Buffer[] = []
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.written.push(chunk)
    done()
  }
}

function connection() {
  const line = new Line()
  const heard: string[] = []
  const handlers = { onMessage: (message: string) => heard.push(message), onPing: () => heard.push('(ping)') }
  return { line, heard, socket: new WebSocketConnection(line, handlers, 1_000) }
}

/** What the console wrote, its mask taken off. */
function unmasked(bytes: Buffer): { opcode: number; payload: Buffer } {
  const [first = 0, second = 0] = bytes
  expect(second & 0x80).toBe(0x80)
  const mask = bytes.subarray(2, 6)
  return { opcode: first & 0x0f, payload: Buffer.from(bytes.subarray(6).map((byte, at) => byte ^ (mask[at % 4] ?? 0))) }
}

describe('a connection', () => {
  it('hears messages and pings, and answers pings with what they carried', async () => {
    const { line, heard } = connection()
    line.push(Buffer.concat([frame(text, 'one'), frame(ping, 'p7'), frame(pong), frame(text, 'two')]))
    await expect.poll(() => heard).toEqual(['one', '(ping)', 'two'])
    expect(line.written.map(unmasked)).toEqual([{ opcode: pong, payload: Buffer.from('p7') }])
  })

  it('ends when the member closes it, and says why', async () => {
    const { line, socket } = connection()
    line.push(frame(close, Buffer.concat([Buffer.from([0x03, 0xe8]), Buffer.from('bye')])))
    expect(await socket.closed).toEqual({ reason: 'the member closed the stream (1000, bye)' })
    expect(line.written.map(unmasked)[0]?.opcode).toBe(close)
    expect(line.destroyed).toBe(true)
  })

  it('ends at once when it is closed here, though nobody answers', async () => {
    const { line, socket, heard } = connection()
    socket.close()
    socket.close()
    line.push(frame(text, 'late'))
    expect(await socket.closed).toEqual({ reason: 'it was closed here' })
    expect(heard).toEqual([])
  })

  it('ends when the connection is lost', async () => {
    const { line, socket } = connection()
    line.destroy(new Error('read ECONNRESET'))
    expect(await socket.closed).toEqual({ reason: 'read ECONNRESET' })
  })

  it('ends when the member only stops sending', async () => {
    const { line, socket } = connection()
    line.push(null)
    expect((await socket.closed).reason).toMatch(/closed the connection/)
  })

  it('ends with a word when bytes make no sense', async () => {
    const { line, socket } = connection()
    line.push(frame(text, 'x', { reserved: 0x40 }))
    expect((await socket.closed).reason).toMatch(/reserved bit/)
    expect(line.written.map(unmasked)[0]).toEqual({ opcode: close, payload: Buffer.from([0x03, 0xea]) })
  })

  it('ends when a listener fails, and not the process', async () => {
    const line = new Line()
    const handlers = {
      onMessage: () => {
        throw new Error('not JSON')
      },
      onPing: () => {},
    }
    const socket = new WebSocketConnection(line, handlers, 1_000)
    line.push(frame(text, '{'))
    expect(await socket.closed).toEqual({ reason: 'not JSON' })
  })
})

describe('the handshake', () => {
  const keyOf = (headers: readonly string[]): string => headers[headers.indexOf('sec-websocket-key') + 1] ?? ''
  const accept = (key: string): string =>
    createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')

  it('takes the answer to its own key only', () => {
    const handshake = webSocketHeaders()
    const other = webSocketHeaders()
    expect(() => handshake.check({ 'sec-websocket-accept': accept(keyOf(handshake.headers)) })).not.toThrow()
    expect(() => handshake.check({ 'sec-websocket-accept': accept(keyOf(other.headers)) })).toThrow(
      WebSocketProtocolError,
    )
    expect(() => handshake.check({})).toThrow(WebSocketProtocolError)
  })

  it('takes no extension', () => {
    const handshake = webSocketHeaders()
    const answer = {
      'sec-websocket-accept': accept(keyOf(handshake.headers)),
      'sec-websocket-extensions': 'permessage-deflate',
    }
    expect(() => handshake.check(answer)).toThrow(/extensions/)
  })
})
