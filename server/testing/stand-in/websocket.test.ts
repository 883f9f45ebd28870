import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { acceptWebSocket, readFrame, TalkingSocket } from './websocket.ts'

describe('the server end of a WebSocket', () => {
  test('answers a handshake as in the example of RFC 6455 section 1.3', () => {
    expect(acceptWebSocket('dGhlIHNhbXBsZSBub25jZQ==')).toContain('Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
  })

  test.each([0, 1, 125, 126, 65_535, 65_536])('sends a text of %i bytes in one frame', (length) => {
    const { socket, sent } = connect()
    socket.send('x'.repeat(length))
    const frame = readFrame(sent())
    expect([frame?.opcode, frame?.payload.length, frame?.length]).toEqual([1, length, sent().length])
  })

  test('answers a ping, also one that comes in pieces', () => {
    const { stream, sent } = connect()
    for (const byte of masked(0x9, 'hello')) stream.emit('data', Buffer.from([byte]))
    expect(readFrame(sent())).toMatchObject({ opcode: 0xa, payload: Buffer.from('hello') })
  })

  test('answers closing with the same code, and says nothing afterwards', () => {
    const { stream, socket, sent } = connect()
    stream.emit('data', masked(0x8, '\u0003\u00e9'))
    socket.send('late')
    const frame = readFrame(sent())
    expect(frame?.opcode).toBe(0x8)
    expect(sent().length).toBe(frame?.length)
  })

  test('does not take half a frame for a frame', () => {
    const whole = masked(0x1, 'hello')
    expect(readFrame(whole.subarray(0, -1))).toBeUndefined()
    expect(readFrame(whole)?.payload.toString()).toBe('hello')
  })
})

function connect() {
  const stream = new PassThrough()
  const chunks: Buffer[] = []
  stream.write = (chunk: unknown) => {
    if (Buffer.isBuffer(chunk)) chunks.push(chunk)
    return true
  }
  return { stream, socket: new TalkingSocket(stream), sent: () => Buffer.concat(chunks) }
}

/** A frame as a client sends it. */
function masked(opcode: number, text: string): Buffer {
  const mask = Buffer.from([1, 2, 3, 4])
  const payload = Buffer.from(text, 'latin1').map((byte, index) => byte ^ (mask[index % 4] ?? 0))
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length]), mask, payload])
}
