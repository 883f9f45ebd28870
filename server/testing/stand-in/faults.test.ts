import { Agent } from 'node:https'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { selfSigned } from '../certificate-authority.ts'
import { ManualClock } from '../manual-clock.ts'
import type { StandInCluster } from './stand-in-cluster.ts'
import { startStandInCluster } from './stand-in-cluster.ts'
import { ask, openEvents, OutOfPatience } from './test-client.ts'

const client = selfSigned({ commonName: 'client' })
let cluster: StandInCluster
let agent: Agent

beforeEach(async () => {
  cluster = await startStandInCluster({
    members: 3,
    moveMs: 5,
    leaderTakeoverMs: 50,
    forwardWaitMs: 80,
  })
  cluster.trust(client.certificate)
  agent = new Agent({ keepAlive: true, maxSockets: 1 })
})

afterEach(async () => {
  agent.destroy()
  await cluster.close()
})

describe('a stuck member', () => {
  test('accepts TCP and answers nothing, on new connections', async () => {
    await cluster.break('server3', 'stuck')
    await tcpConnect(cluster.port('server3'))
    await expect(ask(cluster.address('server3'), '/1.0', { patienceMs: 150 })).rejects.toThrow(OutOfPatience)
  })

  test('freezes open connections, and answers what it was asked when it goes on', async () => {
    await ask(cluster.address('server3'), '/1.0', { agent })
    await cluster.break('server3', 'stuck')
    let answered = false
    const answer = ask(cluster.address('server3'), '/1.0', { agent }).then((value) => {
      answered = true
      return value
    })
    await expect(ask(cluster.address('server3'), '/1.0', { patienceMs: 150 })).rejects.toThrow(OutOfPatience)
    expect(answered).toBe(false)
    await cluster.mend('server3')
    expect((await answer).status).toBe(200)
  })

  test('finishes handshakes that waited', async () => {
    await cluster.break('server3', 'stuck')
    const answer = ask(cluster.address('server3'), '/1.0')
    await until(() => cluster.traffic('server3').connections === 1)
    expect(cluster.traffic('server3').handshakes).toBe(0)
    await cluster.mend('server3')
    expect((await answer).status).toBe(200)
  })

  test('carries out, once it goes on, a request whose sender has left', async () => {
    await ask(cluster.address('server3'), '/1.0', { agent, client })
    await cluster.break('server3', 'stuck')
    const restart = { method: 'PUT', body: { action: 'restart' }, client, agent, patienceMs: 60 }
    await expect(ask(cluster.address('server3'), instancePath(), restart)).rejects.toThrow(OutOfPatience)
    expect(cluster.executions).toHaveLength(0)
    await cluster.mend('server3')
    await until(() => cluster.executions.length === 1)
    expect(cluster.executions[0]).toMatchObject({ action: 'instance.restart', via: 'server3' })
  })

  test('holds its event streams', async () => {
    const stream = await openEvents(cluster.address('server3'), 'type=lifecycle', { client })
    await cluster.break('server3', 'stuck')
    cluster.emit({ action: 'config-updated', source: '/1.0', member: 'server1' })
    await expect(ask(cluster.address('server3'), '/1.0', { patienceMs: 100 })).rejects.toThrow(OutOfPatience)
    expect(stream.events).toHaveLength(0)
    await cluster.mend('server3')
    await stream.next((event) => event['type'] === 'lifecycle')
    stream.close()
  })
})

describe('a refusing member', () => {
  test('resets what is open and refuses what is new, and listens on the same port afterwards', async () => {
    const before = cluster.address('server2')
    await ask(before, '/1.0', { agent })
    const stream = await openEvents(before, 'type=lifecycle', { client })
    await cluster.break('server2', 'refusing')
    await stream.closed
    await expect(ask(before, '/1.0', { agent })).rejects.toMatchObject({ code: expect.stringMatching(/ECONNRE/) })
    await expect(ask(before, '/1.0')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await cluster.mend('server2')
    expect((await ask(before, '/1.0')).status).toBe(200)
  })

  test('resets a connection in the middle of a request', async () => {
    await cluster.break('server2', { kind: 'slow', delayMs: 5_000 })
    await cluster.mend('server2')
    const waiting = ask(cluster.address('server2'), '/1.0/operations/none/wait', { client })
    expect((await waiting).status).toBe(404)
    const { url } = cluster.startOperation({ member: 'server2' })
    const hanging = ask(cluster.address('server2'), `${url}/wait`, { client })
    await until(() => cluster.requests.some((request) => request.url === `${url}/wait`))
    await cluster.break('server2', 'refusing')
    await expect(hanging).rejects.toMatchObject({ code: 'ECONNRESET' })
  })

  test('loses its operations, and its keys to the identity provider', async () => {
    const operation = cluster.startOperation({ member: 'server2' })
    expect((await ask(cluster.address('server1'), operation.url, { client })).status).toBe(200)
    await cluster.break('server2', 'refusing')
    expect((await ask(cluster.address('server1'), operation.url, { client })).status).toBe(404)
  })
})

describe('a member that is cut off', () => {
  test('lets connection attempts hang and freezes what is open, and comes back', async () => {
    await ask(cluster.address('server3'), '/1.0', { agent })
    await cluster.break('server3', 'cut-off')
    await expect(tcpConnect(cluster.port('server3'), 200)).rejects.toThrow('hangs')
    await expect(ask(cluster.address('server3'), '/1.0', { agent, patienceMs: 100 })).rejects.toThrow(OutOfPatience)
    await cluster.mend('server3')
    expect((await ask(cluster.address('server3'), '/1.0')).status).toBe(200)
  })

  test('hears of others late, and not at all when their connection was given up meanwhile', async () => {
    const clock = new ManualClock()
    await cluster.close()
    cluster = await startStandInCluster({ members: 3, clock })
    cluster.trust(client.certificate)
    const far = await openEvents(cluster.address('server3'), 'type=lifecycle', { client })
    const near = await openEvents(cluster.address('server1'), 'type=lifecycle', { client })
    const said = (source: string) => {
      cluster.emit({ action: 'config-updated', source, member: 'server1' })
      return near.next((event) => JSON.stringify(event).includes(source))
    }
    await cluster.break('server3', 'cut-off')
    await said('/given-up')
    await clock.pass(cluster.state.settings.eventConnectionMs)
    await said('/late')
    expect(far.events).toEqual([])
    await cluster.mend('server3')
    await said('/heard')
    await far.next((event) => JSON.stringify(event).includes('/heard'))
    expect(far.events.map(({ metadata }) => metadata)).toMatchObject([{ source: '/late' }, { source: '/heard' }])
    far.close()
    near.close()
  })
})

test('a slow member answers late, on new and on open connections', async () => {
  await ask(cluster.address('server2'), '/1.0', { agent })
  await cluster.break('server2', { kind: 'slow', delayMs: 400 })
  expect(await timeOf(() => ask(cluster.address('server2'), '/1.0', { agent }))).toBeGreaterThanOrEqual(395)
  expect(await timeOf(() => ask(cluster.address('server2'), '/1.0'))).toBeGreaterThanOrEqual(790)
  await cluster.mend('server2')
  expect(await timeOf(() => ask(cluster.address('server2'), '/1.0', { agent }))).toBeLessThan(395)
})

test('a member with a wrong certificate shows it at once, because what was open is reset', async () => {
  const stream = await openEvents(cluster.address('server2'), 'type=lifecycle', { client })
  expect((await ask(cluster.address('server2'), '/1.0')).presented).toBe(cluster.fingerprint)
  await cluster.break('server2', 'wrong-certificate')
  await stream.closed
  const wrong = await ask(cluster.address('server2'), '/1.0')
  expect(wrong.status).toBe(200)
  expect(wrong.presented).not.toBe(cluster.fingerprint)
  await cluster.mend('server2')
  expect((await ask(cluster.address('server2'), '/1.0')).presented).toBe(cluster.fingerprint)
})

describe('a starting member', () => {
  test('finishes the handshake and says nothing', async () => {
    await cluster.break('server2', 'starting')
    await expect(ask(cluster.address('server2'), '/1.0', { patienceMs: 150 })).rejects.toThrow(OutOfPatience)
    expect(cluster.traffic('server2').handshakes).toBe(1)
    await cluster.mend('server2')
    expect((await ask(cluster.address('server2'), '/1.0')).status).toBe(200)
  })

  test('can say so with a 503', async () => {
    await cluster.break('server2', { kind: 'starting', how: 'unavailable' })
    expect(await ask(cluster.address('server2'), '/1.0')).toMatchObject({ status: 503, error: 'Daemon is starting up' })
  })
})

test('a member whose clock is off sees healthy members Offline, and only that member does', async () => {
  await cluster.break('server2', { kind: 'clock-skew', ms: 60_000 })
  expect(await statusOf('server3', 'server2')).toBe('Offline')
  expect(await statusOf('server3', 'server1')).toBe('Online')
})

test('one fault replaces another, and everything can be mended at once', async () => {
  await cluster.break('server2', 'cut-off')
  await cluster.break('server2', 'stuck')
  expect(cluster.faultOf('server2')).toBe('stuck')
  await tcpConnect(cluster.port('server2'))
  await cluster.break('server3', 'refusing')
  await cluster.mendAll()
  expect(cluster.faultOf('server2')).toBeUndefined()
  expect((await ask(cluster.address('server2'), '/1.0')).status).toBe(200)
  expect((await ask(cluster.address('server3'), '/1.0')).status).toBe(200)
})

describe('the leader of the database', () => {
  test('is replaced when it dies, and calls wait until then', async () => {
    expect(cluster.leader).toBe('server1')
    await cluster.break('server1', 'refusing')
    const waited = await timeOf(() => ask(cluster.address('server2'), '/1.0/projects', { client }))
    expect(waited).toBeGreaterThanOrEqual(40)
    expect(cluster.leader).not.toBe('server1')
    expect((await ask(cluster.address('server2'), '/1.0')).status).toBe(200)
  })

  test('makes calls stand still much longer when it is stuck', async () => {
    await cluster.break('server1', 'stuck')
    await expect(ask(cluster.address('server2'), '/1.0/projects', { client, patienceMs: 250 })).rejects.toThrow(
      OutOfPatience,
    )
    const waiting = ask(cluster.address('server2'), '/1.0/projects', { client })
    await cluster.mend('server1')
    expect((await waiting).status).toBe(200)
  })

  test('is missed without a quorum: 503 in the words of the database', async () => {
    await cluster.close()
    cluster = await startStandInCluster({ members: 3, databaseWaitMs: 30, leaderLookupMs: 20, leaderTakeoverMs: 50 })
    cluster.trust(client.certificate)
    await cluster.break('server1', 'refusing')
    await cluster.break('server2', 'stuck')
    const answer = await ask(cluster.address('server3'), '/1.0/projects', { client })
    expect(answer.status).toBe(503)
    expect(answer.error).toMatch(/no available cowsql leader server found/)
    expect((await ask(cluster.address('server3'), '/1.0', { client })).status).toBe(200)
    const members = await ask(cluster.address('server3'), '/1.0/cluster/members', { client })
    expect([members.status, members.error]).toEqual([500, 'context deadline exceeded'])
    await cluster.mend('server2')
    await until(async () => (await ask(cluster.address('server3'), '/1.0/projects', { client })).status === 200)
    expect(cluster.leader).not.toBe('server1')
  })

  test('answers for a while when the others are gone, and then no more', async () => {
    await cluster.close()
    cluster = await startStandInCluster({ members: 3, databaseWaitMs: 30, leaderLeaseMs: 100 })
    cluster.trust(client.certificate)
    await cluster.break('server2', 'refusing')
    await cluster.break('server3', 'refusing')
    const projects = async () => (await ask(cluster.address('server1'), '/1.0/projects', { client })).status
    expect(await projects()).toBe(200)
    await until(async () => (await projects()) === 503)
    await cluster.mendAll()
    expect(await projects()).toBe(200)
  })
})

function instancePath(): string {
  const instance = cluster.instances.find(
    ({ location, project, status }) => location === 'server3' && project === 'default' && status === 'Running',
  )
  return `/1.0/instances/${instance?.name}/state`
}

async function statusOf(name: string, via = 'server1'): Promise<unknown> {
  const answer = await ask(cluster.address(via), `/1.0/cluster/members/${name}`, { client })
  return (answer.metadata as { status: string }).status
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  await expect.poll(holds, { timeout: 3_000, interval: 5 }).toBe(true)
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

function tcpConnect(port: number, patienceMs = 1_000): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port })
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new Error('hangs'))
    }, patienceMs)
    socket.on('error', reject)
    socket.on('connect', () => {
      clearTimeout(timer)
      socket.destroy()
      resolve()
    })
  })
}
