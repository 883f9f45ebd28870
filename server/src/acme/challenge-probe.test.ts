import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { systemRandom } from '../lib/random.ts'
import { probeChallenge } from './challenge-probe.ts'

let server: Server | undefined
afterEach(() => server?.close())

async function listen(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<number> {
  server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

const ports = (port: number, addresses: readonly string[] = ['127.0.0.1'], mayProbe = (_address: string) => true) => ({
  resolve: () => Promise.resolve(addresses),
  mayProbe,
  random: systemRandom,
  port,
})

test('asks the address for a challenge under the name of the domain, with nothing of the console in it', async () => {
  const asked: IncomingMessage[] = []
  const port = await listen((request, response) => {
    asked.push(request)
    response.writeHead(500).end('{"type":"error"}')
  })
  expect(await probeChallenge('a.example.net', ports(port))).toEqual([
    { kind: 'answer', address: '127.0.0.1', status: 500, location: null, body: '{"type":"error"}' },
  ])
  expect(asked[0]?.url).toMatch(/^\/\.well-known\/acme-challenge\/[\w-]{22}$/)
  expect(asked[0]?.headers).toEqual({ host: 'a.example.net', 'user-agent': 'malleus', connection: 'close' })
})

test('does not follow a redirect', async () => {
  let count = 0
  const port = await listen((_, response) => {
    count += 1
    response.writeHead(301, { location: 'https://elsewhere.example.net/' }).end()
  })
  const [answer] = await probeChallenge('a.example.net', ports(port))
  expect(answer).toMatchObject({ status: 301, location: 'https://elsewhere.example.net/' })
  expect(count).toBe(1)
})

test('does not knock at an address that may not be contacted', async () => {
  let count = 0
  const port = await listen((_, response) => {
    count += 1
    response.end()
  })
  const answers = await probeChallenge(
    'a.example.net',
    ports(port, ['127.0.0.1', '::1'], () => false),
  )
  expect(answers.map(({ kind }) => kind)).toEqual(['not-allowed', 'not-allowed'])
  expect(count).toBe(0)
})

test('reads no more than a little of what is answered', async () => {
  const port = await listen((_, response) => response.end('x'.repeat(1_000_000)))
  const [answer] = await probeChallenge('a.example.net', ports(port))
  expect(answer?.kind === 'answer' ? answer.body.length : 0).toBeLessThanOrEqual(65_536)
})

test('says that nobody answers, and that there is no address', async () => {
  const port = await listen((_, response) => response.end())
  server?.close()
  expect(await probeChallenge('a', ports(port))).toMatchObject([{ kind: 'no-answer', why: 'ECONNREFUSED' }])
  expect(await probeChallenge('a', ports(port, []))).toMatchObject([{ kind: 'no-address' }])
  const failing = {
    ...ports(port),
    resolve: () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' })),
  }
  expect(await probeChallenge('a', failing)).toEqual([{ kind: 'no-address', why: 'ENOTFOUND' }])
})
