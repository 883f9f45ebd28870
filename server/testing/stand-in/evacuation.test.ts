import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { selfSigned } from '../certificate-authority.ts'
import { ManualClock } from './manual-clock.ts'
import { startStandInCluster } from './stand-in-cluster.ts'
import type { StandInCluster } from './stand-in-cluster.ts'
import { ask, OutOfPatience } from './test-client.ts'
import type { Answer } from './test-client.ts'

const client = selfSigned({ commonName: 'client' })
let cluster: StandInCluster

beforeEach(async () => {
  cluster = await start('6.0.4')
})
afterEach(() => cluster.close())

describe('evacuating', () => {
  test('moves every instance to other members and says where it stands', async () => {
    const operation = await change({ action: 'evacuate', mode: '' })
    expect(operation).toMatchObject({ class: 'task', status_code: 103, location: 'server2' })
    expect(await wait(operation.id)).toMatchObject({
      status: 'Success',
      metadata: { evacuation_progress: expect.stringMatching(/^(Starting|Migrating|Stopping) "/) },
    })
    expect(cluster.instances.filter(({ location }) => location === 'server2')).toHaveLength(0)
    expect(await statusOf('server2')).toEqual(['Evacuated', 'Unavailable due to maintenance'])
  })

  test.each(['stop', 'stateful-stop', 'force-stop'])('with %s leaves them where they are', async (mode) => {
    await wait((await change({ action: 'evacuate', mode })).id)
    const there = cluster.instances.filter(({ location }) => location === 'server2')
    expect(there).toHaveLength(3)
    expect(there.every(({ status }) => status === 'Stopped')).toBe(true)
    await wait((await change({ action: 'restore' })).id)
    expect(there.every(({ status }) => status === 'Running')).toBe(true)
  })

  test('twice fails, as an operation that says why', async () => {
    await wait((await change({ action: 'evacuate' })).id)
    const again = await change({ action: 'evacuate' })
    expect(await waitFor(again.id)).toMatchObject({
      status: 200,
      raw: { type: 'error', error_code: 500, error: 'Cluster member is already evacuated', metadata: null },
    })
    expect(cluster.operations.find(again.id)).toMatchObject({ status: 'Failure' })
    expect(await statusOf('server2')).toEqual(['Evacuated', 'Unavailable due to maintenance'])
  })

  test.each([
    [{ action: 'evacuate', mode: 'gently' }, /Invalid value "gently"/],
    [{ action: 'dance' }, /Unknown action "dance"/],
    [undefined, /EOF/],
  ])('refuses %j', async (body, error) => {
    const answer = await post(body)
    expect([answer.status, answer.error]).toEqual([400, expect.stringMatching(error)])
    expect(cluster.executions).toHaveLength(0)
  })

  test('stands still while the member does, and is gone when its process dies', async () => {
    await cluster.close()
    cluster = await start('6.0.4', 20)
    const operation = await change({ action: 'evacuate' })
    await cluster.break('server2', 'stuck')
    await expect(ask(cluster.address('server2'), '/1.0', { patienceMs: 100 })).rejects.toThrow(OutOfPatience)
    expect(cluster.operations.find(operation.id).status).toBe('Running')
    await cluster.break('server2', 'refusing')
    expect((await ask(cluster.address('server1'), `/1.0/operations/${operation.id}`, { client })).status).toBe(404)
  })
})

describe('restoring', () => {
  test('brings back what was there', async () => {
    await wait((await change({ action: 'evacuate' })).id)
    expect(await wait((await change({ action: 'restore' })).id)).toMatchObject({ status: 'Success' })
    expect(cluster.instances.filter(({ location }) => location === 'server2')).toHaveLength(3)
    expect(await statusOf('server2')).toEqual(['Online', 'Fully operational'])
  })

  test('of a member that is available fails', async () => {
    const { error } = await waitFor((await change({ action: 'restore' })).id)
    expect(error).toBe('Cluster member is already restored')
  })

  test('with skip only makes it available, where the release knows that', async () => {
    await cluster.close()
    cluster = await start('7.0.2')
    await wait((await change({ action: 'evacuate' })).id)
    await wait((await change({ action: 'restore', mode: 'skip' })).id)
    expect(cluster.instances.filter(({ location }) => location === 'server2')).toHaveLength(0)
    expect(await statusOf('server2')).toEqual(['Online', 'Fully operational'])
  })
})

test('the newer release shows that it is under way', async () => {
  await cluster.close()
  const clock = new ManualClock()
  cluster = await start('7.0.2', 300, clock)
  const operation = await change({ action: 'evacuate' })
  expect(await statusOf('server2')).toEqual(['Evacuating', 'Unavailable due to maintenance'])
  const ended = (): boolean => {
    clock.advance(300)
    return cluster.operations.find(operation.id).final
  }
  await expect.poll(ended, { timeout: 5_000, interval: 2 }).toBe(true)
  expect(await statusOf('server2')).toEqual(['Evacuated', 'Unavailable due to maintenance'])
})

async function start(version: '6.0.4' | '7.0.2', moveMs = 1, clock?: ManualClock): Promise<StandInCluster> {
  const instances = ['a', 'b', 'c'].map((name) => ({ name, location: 'server2' }))
  const options = { members: 3, version, moveMs, instances, projects: [], ...(clock ? { clock } : {}) }
  const started = await startStandInCluster(options)
  started.trust(client.certificate)
  return started
}

interface Operation extends Record<string, unknown> {
  id: string
}

function post(body: unknown): Promise<Answer> {
  return ask(cluster.address('server1'), '/1.0/cluster/members/server2/state', { method: 'POST', body, client })
}

async function change(body: unknown): Promise<Operation> {
  const answer = await post(body)
  expect(answer).toMatchObject({ status: 202, type: 'async' })
  return answer.metadata as Operation
}

async function wait(id: string): Promise<unknown> {
  return (await waitFor(id)).metadata
}

function waitFor(id: string): Promise<Answer> {
  return ask(cluster.address('server3'), `/1.0/operations/${id}/wait?timeout=5`, { client })
}

async function statusOf(name: string): Promise<unknown[]> {
  const { metadata } = await ask(cluster.address('server1'), `/1.0/cluster/members/${name}`, { client })
  const { status, message } = metadata as { status: string; message: string }
  return [status, message]
}
