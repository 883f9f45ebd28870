import { Agent } from 'node:https'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { selfSigned } from '../certificate-authority.ts'
import { Exchange } from './exchange.ts'
import type { ExchangeFault } from './faults.ts'
import { startStandInCluster } from './stand-in-cluster.ts'
import type { StandInCluster } from './stand-in-cluster.ts'
import { ask, OutOfPatience } from './test-client.ts'
import type { Answer } from './test-client.ts'

const client = selfSigned({ commonName: 'client' })
const PATH = '/1.0/cluster/members/server2/state'
let cluster: StandInCluster
let agent: Agent

beforeEach(async () => {
  cluster = await startStandInCluster({ members: 2, moveMs: 1, instances: 0 })
  cluster.trust(client.certificate)
  agent = new Agent({ keepAlive: true, maxSockets: 1 })
})

afterEach(async () => {
  agent.destroy()
  await cluster.close()
})

describe('a fault at a byte of the request', () => {
  test.each([0, 1, 20, 150])('after %i bytes keeps the member from carrying it out', async (afterBytes) => {
    const armed = cluster.faultAt({ method: 'POST', path: PATH, afterBytes, kind: 'reset' })
    await expect(evacuate()).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(armed.fired).toBe(1)
    expect(cluster.executions).toHaveLength(0)
    expect((await ask(cluster.address('server1'), '/1.0', { agent })).status).toBe(200)
  })

  test('after its last byte loses only the answer', async () => {
    const length = await requestLength()
    cluster.faultAt({ method: 'POST', path: PATH, afterBytes: length, kind: 'reset' })
    await expect(evacuate()).rejects.toMatchObject({ code: 'ECONNRESET' })
    await expect.poll(() => cluster.executions.length).toBe(1)
  })

  test('one byte before its last byte keeps the member from carrying it out', async () => {
    const length = await requestLength()
    cluster.faultAt({ method: 'POST', path: PATH, afterBytes: length - 1, kind: 'close' })
    await expect(evacuate()).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(cluster.executions).toHaveLength(0)
  })

  test('finds its exchange on a connection that was used before', async () => {
    for (let count = 0; count < 3; count += 1) await ask(cluster.address('server1'), '/1.0', { agent, client })
    cluster.faultAt({ method: 'POST', path: /\/state$/, afterBytes: 30, kind: 503 })
    const answer = await evacuate()
    expect(answer.status).toBe(503)
    expect(cluster.traffic('server1').connections).toBe(1)
    expect(cluster.executions).toHaveLength(0)
  })

  test('belongs to the member, the method and the path it was asked for', async () => {
    const others: ExchangeFault[] = [
      { member: 'server2', afterBytes: 0, kind: 'reset' },
      { method: 'PUT', afterBytes: 0, kind: 'reset' },
      { path: '/1.0/cluster', afterBytes: 0, kind: 'reset' },
    ]
    const armed = others.map((fault) => cluster.faultAt(fault))
    expect((await evacuate()).status).toBe(202)
    expect(armed.map(({ fired }) => fired)).toEqual([0, 0, 0])
  })
})

describe('a fault at a byte of the answer', () => {
  test.each(['reset', 'close'] as const)('of kind %s cuts it there, after the work was done', async (kind) => {
    cluster.faultAt({ path: PATH, at: 'response', afterBytes: 40, kind })
    await expect(evacuate()).rejects.toMatchObject({ code: expect.stringMatching(/ECONNRESET|HPE/) })
    expect(cluster.executions).toHaveLength(1)
  })

  test.each([502, 503] as const)('of kind %i puts that in its place', async (kind) => {
    cluster.faultAt({ path: PATH, at: 'response', afterBytes: 0, kind })
    expect((await evacuate()).status).toBe(kind)
    expect(cluster.executions).toHaveLength(1)
  })

  test('of kind stall leaves the client waiting, and other connections alone', async () => {
    cluster.faultAt({ path: PATH, at: 'response', afterBytes: 100, kind: 'stall' })
    await expect(evacuate({ patienceMs: 100 })).rejects.toThrow(OutOfPatience)
    expect(cluster.executions).toHaveLength(1)
    expect((await ask(cluster.address('server1'), '/1.0')).status).toBe(200)
  })

  test('can be suffered several times, and be disarmed', async () => {
    const armed = cluster.faultAt({ path: '/1.0', at: 'response', afterBytes: 0, kind: 503, times: 2 })
    const asked = async (): Promise<number> => (await ask(cluster.address('server1'), '/1.0')).status
    expect([await asked(), await asked(), await asked()]).toEqual([503, 503, 200])
    const other = cluster.faultAt({ path: '/1.0', afterBytes: 0, kind: 503 })
    other.disarm()
    expect([armed.fired, await asked()]).toEqual([2, 200])
  })
})

describe('an exchange knows when the request is whole', () => {
  const head = 'POST /1.0/x?y HTTP/1.1\r\nHost: a\r\n'

  test.each([
    ['without a body', `${head}\r\n`],
    ['with a length', `${head}Content-Length: 4\r\n\r\nbody`],
    ['in chunks', `${head}Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n`],
  ])('%s, however it is cut', (_how, text) => {
    const exchange = new Exchange()
    for (const [index, byte] of Buffer.from(text).entries()) {
      exchange.take(Buffer.from([byte]))
      expect(exchange.complete).toBe(index === text.length - 1)
    }
    expect([exchange.method, exchange.path, exchange.received]).toEqual(['POST', '/1.0/x', text.length])
  })
})

function evacuate(extra: { patienceMs?: number } = {}): Promise<Answer> {
  return ask(cluster.address('server1'), PATH, {
    method: 'POST',
    body: { action: 'evacuate', mode: '' },
    client,
    agent,
    ...extra,
  })
}

/** How many bytes the evacuation's request has. */
async function requestLength(): Promise<number> {
  const before = cluster.traffic('server1').bytes
  await ask(cluster.address('server1'), PATH, { method: 'POST', body: { action: 'evacuatX', mode: '' }, client, agent })
  return cluster.traffic('server1').bytes - before
}
