import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { CannotListen, listen } from './listen.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

function newServer(): Server {
  const server = createServer()
  servers.push(server)
  return server
}

describe('a listener', () => {
  it('is open when the promise resolves', async () => {
    const server = newServer()
    await listen(server, { host: '127.0.0.1', port: 0 })
    expect(server.listening).toBe(true)
  })

  it('whose port somebody else has says so', async () => {
    const first = newServer()
    await listen(first, { host: '127.0.0.1', port: 0 })
    const address = first.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const second = listen(newServer(), { host: '127.0.0.1', port })
    await expect(second).rejects.toThrow(CannotListen)
    await expect(second).rejects.toThrow(
      `The console cannot listen on 127.0.0.1:${port}, because something else does already.`,
    )
  })

  it('on an address of another machine says so', async () => {
    // RFC 5737: for documentation, so nobody's.
    await expect(listen(newServer(), { host: '192.0.2.1', port: 8480 })).rejects.toThrow(
      'The console cannot listen on 192.0.2.1:8480, because this machine does not have that address.',
    )
  })
})
