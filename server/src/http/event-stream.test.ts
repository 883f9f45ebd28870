import { once } from 'node:events'
import { createServer, get, type IncomingMessage } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { EventStream } from './event-stream.ts'

const cleanups: (() => void)[] = []
afterEach(() => cleanups.splice(0).forEach((clean) => clean()))

async function openStream(): Promise<{ stream: EventStream; reply: IncomingMessage }> {
  const server = createServer()
  const stream = new Promise<EventStream>((resolve) =>
    server.on('request', (_, response) => resolve(new EventStream(response))),
  )
  server.listen(0, '127.0.0.1')
  cleanups.push(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const reply = await new Promise<IncomingMessage>((resolve) => get({ port, host: '127.0.0.1', agent: false }, resolve))
  return { stream: await stream, reply }
}

describe('an event stream', () => {
  it('begins at once, and writes events with and without an id', async () => {
    const { stream, reply } = await openStream()
    expect(reply.headers['content-type']).toBe('text/event-stream')
    stream.send({ id: 'e-1', event: 'resync', data: { reason: 'line\nbreak' } })
    stream.send({ event: 'heartbeat', data: {} })
    stream.close()
    const text = (await reply.toArray()).join('')
    expect(text).toBe('id: e-1\nevent: resync\ndata: {"reason":"line\\nbreak"}\n\nevent: heartbeat\ndata: {}\n\n')
    await stream.closed
  })

  it('refuses a line break where it would begin another field', async () => {
    const { stream } = await openStream()
    expect(() => stream.send({ event: 'a\ndata: b', data: 1 })).toThrow(TypeError)
    expect(() => stream.send({ id: '1\n2', event: 'a', data: 1 })).toThrow(TypeError)
  })

  it('is closed when the browser goes, and takes what comes after as said to nobody', async () => {
    const { stream, reply } = await openStream()
    reply.destroy()
    await stream.closed
    expect(() => stream.send({ event: 'late', data: 1 })).not.toThrow()
  })

  it('lets go of a browser that does not read', async () => {
    const { stream, reply } = await openStream()
    reply.pause()
    const filler = 'x'.repeat(262_144)
    let sent = 0
    const gone = stream.closed.then(() => true)
    const full = async (): Promise<boolean> => {
      for (; sent < 400; sent += 1) {
        stream.send({ event: 'much', data: filler })
        if (await Promise.race([gone, new Promise<boolean>((resolve) => setImmediate(resolve, false))])) return true
      }
      return false
    }
    expect(await full()).toBe(true)
  })
})
