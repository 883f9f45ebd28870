import { createServer } from 'node:http'
import type { RequestListener, Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { createCertificateAuthority } from '../../testing/certificate-authority.ts'
import { isLoopback, outboundFetch, wasNeverSent } from './outbound.ts'
import type { OutboundOptions } from './outbound.ts'

const servers: Server[] = []
const clients: { close(): Promise<void> }[] = []

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

async function listen(server: Server): Promise<number> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

const serve = async (listener: RequestListener) => `http://127.0.0.1:${await listen(createServer(listener))}`

function client(options?: OutboundOptions) {
  const made = outboundFetch(options)
  clients.push(made)
  return made.fetch
}

const failureOf = (promise: Promise<unknown>) => promise.then(() => undefined).catch((error: unknown) => error)

describe('a request to somebody beside the cluster', () => {
  test('sends a form and gives back status, headers and text', async () => {
    let heard = ''
    const url = await serve((request, response) => {
      request.on('data', (chunk: Buffer) => (heard += chunk.toString()))
      request.on('end', () => {
        response.writeHead(400, { 'content-type': 'application/json', 'x-two': ['a', 'b'] })
        response.end('{"error":"invalid_grant"}')
      })
    })
    const response = await client()(url, { method: 'POST', body: new URLSearchParams({ grant_type: 'refresh_token' }) })
    expect([response.status, response.headers.get('x-two'), await response.json()]).toEqual([
      400,
      'a, b',
      { error: 'invalid_grant' },
    ])
    expect(heard).toBe('grant_type=refresh_token')
  })

  test('does not follow a redirect', async () => {
    const url = await serve((_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end())
    expect((await client()(url)).status).toBe(302)
  })

  test('has a connection of its own', async () => {
    const ports = new Set<number | undefined>()
    const url = await serve((request, response) => {
      ports.add(request.socket.remotePort)
      response.end()
    })
    const fetch = client()
    for (let round = 0; round < 3; round += 1) await fetch(url)
    expect(ports.size).toBe(3)
  })

  test('ends at its deadline, and then may have been carried out', async () => {
    const url = await serve(() => undefined)
    const error = await failureOf(client({ deadlineMs: 50 })(url))
    expect(error).toBeInstanceOf(Error)
    expect(wasNeverSent(error)).toBe(false)
  })

  test('does not read an answer without end', async () => {
    const url = await serve((_, response) => response.end(Buffer.alloc(2000)))
    await expect(client({ mostBytes: 1000 })(url)).rejects.toThrow('answered with more than 1000 bytes')
  })

  test('that was cut may have been carried out', async () => {
    const url = await serve((request) => request.socket.destroy())
    const error = await failureOf(client()(url))
    expect(error).toBeInstanceOf(Error)
    expect(wasNeverSent(error)).toBe(false)
  })

  test('that found nobody was never sent', async () => {
    const port = await listen(createServer())
    const [server] = servers.splice(0)
    await new Promise((resolve) => server?.close(resolve))
    expect(wasNeverSent(await failureOf(client()(`http://127.0.0.1:${port}`)))).toBe(true)
  })

  test('is not sent to somebody with a certificate nobody vouches for, and is when the authority is known', async () => {
    const authority = createCertificateAuthority()
    const { certificate, key } = authority.issue({ commonName: 'idp', names: ['127.0.0.1'] })
    let requests = 0
    const server = createTlsServer({ cert: certificate, key }, (_, response) => {
      requests += 1
      response.end('ok')
    })
    const url = `https://127.0.0.1:${await listen(server)}`
    expect(wasNeverSent(await failureOf(client()(url)))).toBe(true)
    expect(requests).toBe(0)
    expect(await (await client({ ca: authority.certificate })(url)).text()).toBe('ok')
  })

  test('lets it be known whose certificate was shown, with each connection', async () => {
    const authority = createCertificateAuthority()
    const { certificate: cert, key } = authority.issue({ commonName: 'localhost', names: ['localhost'] })
    const port = await listen(createTlsServer({ cert, key }, (_, response) => response.end('hello')))
    const seen: (readonly [string, readonly string[]])[] = []
    const fetch = client({
      ca: authority.certificate,
      onCertificates: (host, chain) => seen.push([host, chain.map(({ subject }) => subject)]),
    })
    await fetch(`https://localhost:${port}/`)
    await fetch(`https://localhost:${port}/`)
    expect(seen).toEqual([
      ['localhost', ['CN=localhost']],
      ['localhost', ['CN=localhost']],
    ])
  })

  test('is not sent in the clear, except to this machine', async () => {
    const error = await failureOf(client()('http://idp.example.net/token'))
    expect(error).toMatchObject({ message: 'idp.example.net is only reached over https' })
    expect(wasNeverSent(error)).toBe(true)
    await expect(client()('file:///etc/passwd')).rejects.toThrow('only reached over https')
  })
})

test.each([
  ['localhost', true],
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['[::1]', true],
  ['localhost.example.net', false],
  ['127.0.0.1.example.net', false],
  ['10.0.0.1', false],
])('%s is this machine: %s', (hostname, expected) => {
  expect(isLoopback(hostname)).toBe(expected)
})
