import { once } from 'node:events'
import { request, type Server } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { startTestDoor } from '../../testing/test-door.ts'
import { Instruments } from '../lib/instruments.ts'
import { DoorMetrics } from './metrics.ts'
import { createManagementServer } from './management.ts'

const servers: Server[] = []
afterEach(() => servers.splice(0).forEach((server) => server.close()))

async function start(notReady: () => string[], metrics = () => Promise.resolve('x 1\n')) {
  const server = createManagementServer({ notReady, metrics })
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return (path: string, method = 'GET') =>
    new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
      request({ host: '127.0.0.1', port, path, method, agent: false }, (response) => {
        response.toArray().then((chunks) => resolve({ status: response.statusCode, text: chunks.join('') }), reject)
      }).end()
    })
}

describe('the management listener', () => {
  it('says that the process lives, and whether it is ready, and why not', async () => {
    const reasons: string[] = []
    const ask = await start(() => reasons)
    expect(await ask('/healthz')).toEqual({ status: 200, text: 'ok\n' })
    expect(await ask('/readyz')).toEqual({ status: 200, text: '{"ready":true,"reasons":[]}' })
    reasons.push('the console is stopping')
    expect(await ask('/readyz')).toEqual({ status: 503, text: '{"ready":false,"reasons":["the console is stopping"]}' })
    expect((await ask('/healthz')).status).toBe(200)
  })

  it('serves nothing else', async () => {
    const ask = await start(() => [])
    expect((await ask('/')).status).toBe(404)
    expect((await ask('/api/clusters')).status).toBe(404)
    expect((await ask('/healthz', 'POST')).status).toBe(405)
  })

  it('goes on when the metrics cannot be read', async () => {
    const ask = await start(
      () => [],
      () => Promise.reject(new Error('secret path')),
    )
    expect(await ask('/metrics')).toEqual({ status: 500, text: 'failed: Error\n' })
    expect((await ask('/healthz')).status).toBe(200)
  })
})

describe('metrics', () => {
  it('count requests by route, never by address, and refusals by code', async () => {
    const door = await startTestDoor({ routes: [] })
    await door.ask('/api/clusters/one')
    await door.ask('/api/clusters/two')
    await door.ask('/api/clusters', { as: null })
    await door.close()
    const text = await door.metrics()
    expect(text).toContain('malleus_http_requests_total{method="GET",route="none",status="404"} 2')
    expect(text).toContain('malleus_http_refusals_total{code="not_signed_in"} 1')
    expect(text).not.toContain('/api/clusters/one')
  })

  it('tell how many requests are being answered, and how long they took, but for streams', async () => {
    const instruments = new Instruments()
    const metrics = new DoorMetrics(instruments)
    for (let n = 0; n < 3; n += 1) metrics.began()
    metrics.served('GET', '/api/live', 200, 3_600_000)
    metrics.served('GET', '/api/clusters', 200, 20)
    const text = await instruments.text()
    expect(text).toContain('malleus_http_in_flight 1')
    expect(text).toContain('malleus_http_request_seconds_bucket{route="/api/clusters",le="0.025"} 1')
    expect(text).not.toContain('malleus_http_request_seconds_count{route="/api/live"}')
    expect(text).toContain('malleus_http_requests_total{method="GET",route="/api/live",status="200"} 1')
  })

  it('have one line for all methods that nobody serves', async () => {
    const instruments = new Instruments()
    const metrics = new DoorMetrics(instruments)
    for (const method of ['PROPFIND', 'MKCOL']) metrics.served(method, 'none', 405, 1)
    expect(await instruments.text()).toContain(
      'malleus_http_requests_total{method="other",route="none",status="405"} 2',
    )
  })

  it('are not served to the public', async () => {
    const door = await startTestDoor({ routes: [] })
    for (const path of ['/metrics', '/healthz', '/readyz']) {
      expect((await door.ask(path, { as: null })).text).toBe('page')
    }
    await door.close()
  })
})
