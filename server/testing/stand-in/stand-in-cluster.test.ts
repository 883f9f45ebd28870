import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { selfSigned } from '../certificate-authority.ts'
import { ManualClock } from './manual-clock.ts'
import { startStandInCluster } from './stand-in-cluster.ts'
import type { StandInCluster } from './stand-in-cluster.ts'
import { ask, openEvents, OutOfPatience } from './test-client.ts'
import type { Answer, Question } from './test-client.ts'

const client = selfSigned({ commonName: 'client' })
let cluster: StandInCluster
let clock: ManualClock

beforeEach(async () => {
  clock = new ManualClock()
  cluster = await startStandInCluster({
    members: 4,
    clock,
    // Durations nothing else waits for, so that a test can tell who waits.
    forwardWaitMs: 7_000,
    fanOutWaitMs: 33_000,
    groups: { rack1: ['server1', 'server2'] },
    failureDomains: { server3: 'rack2' },
  })
  cluster.trust(client.certificate)
})
afterEach(() => cluster.close())

describe('every answer', () => {
  test('has the whole envelope', async () => {
    const { raw } = await get('/1.0/cluster')
    expect(Object.keys(raw)).toEqual(['type', 'status', 'status_code', 'operation', 'error_code', 'error', 'metadata'])
    expect(raw).toMatchObject({ type: 'sync', status: 'Success', status_code: 200, error_code: 0 })
    const { raw: wrong } = await get('/1.0/cluster/members/nobody')
    expect(wrong).toEqual({
      type: 'error',
      status: '',
      status_code: 0,
      operation: '',
      error_code: 404,
      error: 'Cluster member not found',
      metadata: null,
    })
  })

  test('to something unknown is 404, and 501 where only the method is', async () => {
    expect((await get('/1.0/nothing')).status).toBe(404)
    expect((await get('/1.0/cluster/members', { method: 'PUT', body: {} })).status).toBe(501)
  })
})

describe('the members', () => {
  test('are the same through each of them', async () => {
    const seen = await Promise.all(
      cluster.addresses.map(
        async (address) => (await ask(address, '/1.0/cluster/members?recursion=1', { client })).metadata,
      ),
    )
    expect(new Set(seen.map((value) => JSON.stringify(value))).size).toBe(1)
    expect(seen[0]).toMatchObject([
      { server_name: 'server1', roles: ['database-leader', 'database'], database: true, groups: ['default', 'rack1'] },
      { server_name: 'server2', roles: ['database'] },
      { server_name: 'server3', failure_domain: 'rack2', status: 'Online', message: 'Fully operational' },
      {
        server_name: 'server4',
        roles: ['database-standby'],
        database: false,
        url: `https://${cluster.address('server4')}`,
      },
    ])
  })

  test('can be asked about each other', async () => {
    const { metadata } = await get('/1.0?target=server3')
    expect(metadata).toMatchObject({
      environment: { server_name: 'server3', certificate_fingerprint: cluster.fingerprint },
    })
    expect((await get('/1.0/resources?target=server4')).metadata).toMatchObject({ load: { Processes: 240 } })
    expect((await get('/1.0/cluster/members/server2/state')).metadata).toMatchObject({ sysinfo: { total_swap: 0 } })
    expect((await get('/1.0/resources?target=@rack1')).status).toBe(404)
  })

  test('come, go and change their names while it runs', async () => {
    await cluster.addMember('server5')
    expect((await ask(cluster.address('server5'), '/1.0', { client })).metadata).toMatchObject({
      environment: { server_name: 'server5' },
    })
    cluster.renameMember('server5', 'server6')
    const address = cluster.address('server6')
    await cluster.removeMember('server6')
    expect(cluster.members).toEqual(['server1', 'server2', 'server3', 'server4'])
    await expect(ask(address, '/1.0')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('are grouped', async () => {
    expect((await get('/1.0/cluster/groups?recursion=1')).metadata).toEqual([
      { name: 'default', description: 'Default cluster group', members: cluster.members },
      { name: 'rack1', description: '', members: ['server1', 'server2'] },
    ])
  })
})

describe('what needs another member', () => {
  const missing = { status: 500, error: 'Missing event connection with target cluster member' }
  const forwarded = ['/1.0/resources?target=server3', '/1.0/cluster/members/server3/state']

  test.each(forwarded)('waits for a dead one, and not at all once a heartbeat has failed too: %s', async (path) => {
    await cluster.break('server3', 'refusing')
    const answer = get(path)
    await waited(7_000)
    expect(await answer).toMatchObject(missing)
    clock.advance(10_000)
    expect(await get(path)).toMatchObject({ status: 500, error: "Server isn't ready yet" })
  })

  test.each(forwarded)('hangs while it is stuck, until its event connection is given up: %s', async (path) => {
    await cluster.break('server3', 'stuck')
    const hanging = get(path)
    await until(() => cluster.requests.at(-1)?.url === path)
    clock.advance(20_000)
    const answer = get(path)
    await waited(7_000)
    expect(await answer).toMatchObject(missing)
    await cluster.mend('server3')
    expect((await hanging).status).toBe(200)
  })

  test('fails with a timeout when it is cut off', async () => {
    await cluster.break('server3', 'cut-off')
    const answer = get('/1.0/resources?target=server3')
    await waited(14_000)
    expect(await answer).toMatchObject({ status: 500, error: expect.stringMatching(/i\/o timeout/) })
  })

  test('fails at once in the newer release, once the member is Offline', async () => {
    await cluster.close()
    cluster = await startStandInCluster({ members: 3, version: '7.0.2', clock })
    cluster.trust(client.certificate)
    await cluster.break('server3', 'stuck')
    clock.advance(21_000)
    expect(await get('/1.0/resources?target=server3')).toMatchObject({
      status: 503,
      error: 'Cluster member "server3" is offline',
    })
  })
})

test('a member that says nothing is Offline after the threshold, and Online again when it goes on', async () => {
  await cluster.break('server3', 'stuck')
  clock.advance(20_000)
  expect(await statusOf('server3')).toBe('Online')
  clock.advance(1_000)
  expect(await statusOf('server3')).toBe('Offline')
  expect((await get('/1.0/cluster/members/server3')).metadata).toMatchObject({
    message: 'No heartbeat for 21.00s (2026-01-01 00:00:00.000 +0000 UTC)',
  })
  await cluster.mend('server3')
  expect(await statusOf('server3')).toBe('Online')
})

test('the list of operations waits for a stuck member that counts as Online, and not for one that does not', async () => {
  await cluster.break('server3', 'stuck')
  await expect(get('/1.0/operations', { patienceMs: 80 })).rejects.toThrow(OutOfPatience)
  clock.advance(21_000)
  expect((await get('/1.0/operations')).status).toBe(200)
})

describe('the instances', () => {
  const everything = '/1.0/instances?recursion=1&all-projects=true'

  test('are listed without asking anybody, and with it from everybody who answers', async () => {
    expect((await get('/1.0/instances')).metadata).toHaveLength(6)
    const rows = rowsOf(await get('/1.0/instances?recursion=2&all-projects=true'))
    expect(rows).toHaveLength(12)
    expect(rows[0]).toMatchObject({ location: 'server1', status: 'Running', status_code: 103, backups: null })
    expect(rows[0]).toHaveProperty('state.memory.usage')
  })

  test('of a dead member come back as errors with null maps, at once', async () => {
    await cluster.break('server3', 'refusing')
    const rows = rowsOf(await get(everything))
    expect(rows.filter(({ status }) => status === 'Error')).toHaveLength(3)
    expect(rows.find(({ location }) => location === 'server3')).toMatchObject({
      status: 'Error',
      status_code: 112,
      config: null,
      devices: null,
      profiles: null,
      created_at: '0001-01-01T00:00:00Z',
    })
  })

  test('of a stuck member make the list wait while it counts as Online, and not at all afterwards', async () => {
    await cluster.break('server3', 'stuck')
    const answer = get(everything)
    await waited(33_000)
    const rows = rowsOf(await answer)
    expect(rows.filter(({ status }) => status === 'Error')).toHaveLength(3)
    expect(await statusOf('server3')).toBe('Offline')
    expect(rowsOf(await get(everything)).filter(({ status }) => status === 'Error')).toHaveLength(3)
  })
})

describe('events', () => {
  test('are on every stream, wherever they happen, and name who caused them', async () => {
    const stream = await openEvents(cluster.address('server4'), 'type=lifecycle,operation&all-projects=true', {
      client,
    })
    const evacuate = { method: 'POST', body: { action: 'evacuate' } }
    expect((await get('/1.0/cluster/members/server2/state', evacuate)).status).toBe(202)
    await until(() => {
      clock.advance(1_000)
      return cluster.operations.all().every((operation) => operation.final)
    })
    const event = await stream.next(({ metadata }) => actionOf(metadata) === 'cluster-member-evacuated')
    expect(event).toMatchObject({
      type: 'lifecycle',
      location: 'server2',
      metadata: { source: '/1.0/cluster/members/server2', requestor: { protocol: 'tls', address: '127.0.0.1' } },
    })
    const progress = stream.events.filter(({ type }) => type === 'operation')
    expect(JSON.stringify(progress)).toContain('Migrating')
    const ids = stream.events.map(({ timestamp }) => timestamp)
    expect(new Set(ids).size).toBe(ids.length)
    stream.close()
  })

  test('come twice on the stream of the member they happened on, when asked for the older behaviour', async () => {
    await cluster.close()
    cluster = await startStandInCluster({ members: 2, duplicateOwnEvents: true })
    cluster.trust(client.certificate)
    const own = await openEvents(cluster.address('server1'), 'type=lifecycle', { client })
    const other = await openEvents(cluster.address('server2'), 'type=lifecycle', { client })
    cluster.emit({ action: 'config-updated', source: '/1.0', member: 'server1' })
    cluster.emit({ action: 'config-updated', source: '/2.0', member: 'server2' })
    await own.next(({ location }) => location === 'server2')
    await other.next(({ location }) => location === 'server2')
    expect(own.events.map(({ location }) => location)).toEqual(['server1', 'server1', 'server2'])
    expect(own.events[0]).toEqual(own.events[1])
    own.close()
    other.close()
  })

  test('have to be asked for in words Incus knows', async () => {
    await expect(openEvents(cluster.address('server1'), 'type=gossip', { client })).rejects.toThrow('400')
    await expect(openEvents(cluster.address('server1'), 'project=nowhere', { client })).rejects.toThrow('404')
  })
})

test('the cluster certificate is replaced on all members at once, and not while one is dead', async () => {
  const pair = selfSigned({ commonName: 'cluster', names: ['incus.example.test'] })
  const body = { cluster_certificate: pair.certificate, cluster_certificate_key: pair.key }
  await cluster.break('server4', 'refusing')
  expect((await get('/1.0/cluster/certificate', { method: 'PUT', body })).status).toBe(500)
  await cluster.mend('server4')
  expect((await get('/1.0/cluster/certificate', { method: 'PUT', body })).status).toBe(200)
  const presented = await Promise.all(cluster.addresses.map(async (address) => (await ask(address, '/1.0')).presented))
  expect(new Set(presented)).toEqual(new Set([cluster.fingerprint]))
  const mismatch = { ...body, cluster_certificate_key: selfSigned({ commonName: 'x' }).key }
  expect((await get('/1.0/cluster/certificate', { method: 'PUT', body: mismatch })).error).toMatch(/does not match/)
})

test('a certificate that members refuse themselves is taken all the same by 6.0, and then nothing is', async () => {
  const validity = { notBefore: new Date(0), notAfter: new Date(cluster.state.clock.now() - 1_000) }
  const expired = selfSigned({ commonName: 'cluster', names: ['a.example'], ...validity })
  const replace = (pair: { certificate: string; key: string }) =>
    get('/1.0/cluster/certificate', {
      method: 'PUT',
      body: { cluster_certificate: pair.certificate, cluster_certificate_key: pair.key },
    })
  expect((await replace(expired)).status).toBe(200)
  expect((await replace(selfSigned({ commonName: 'cluster', names: ['a.example'] }))).error).toMatch(/has expired/)
})

test('a member that was left behind presents the old certificate until it catches up', async () => {
  const before = { ...cluster.state.certificate }
  const presentedBy = async (name: string) => (await ask(cluster.address(name), '/1.0')).presented
  cluster.leaveBehind('server2', before)
  cluster.replaceCertificate(selfSigned({ commonName: 'cluster', names: ['a.example'] }))
  expect(await presentedBy('server2')).not.toBe(cluster.fingerprint)
  expect(await presentedBy('server1')).toBe(cluster.fingerprint)
  cluster.catchUp('server2')
  expect(await presentedBy('server2')).toBe(cluster.fingerprint)
})

test('requests are recorded as they came', async () => {
  const heard: string[] = []
  cluster.onRequest(({ url }) => heard.push(url))
  await get('/1.0/projects?recursion=1', { headers: { 'X-Odd_Header': 'v' } })
  expect(heard).toEqual(['/1.0/projects?recursion=1'])
  expect(cluster.requests.at(-1)?.headers).toContainEqual(['X-Odd_Header', 'v'])
})

function get(path: string, question: Question = {}): Promise<Answer> {
  return ask(cluster.address('server1'), path, { client, ...question })
}

/** Somebody waits exactly that long, and it has passed. */
async function waited(ms: number): Promise<void> {
  await until(() => clock.awaits(ms))
  clock.advance(ms)
}

async function until(holds: () => boolean): Promise<void> {
  await expect.poll(holds, { timeout: 5_000, interval: 2 }).toBe(true)
}

async function statusOf(name: string): Promise<unknown> {
  return ((await get(`/1.0/cluster/members/${name}`)).metadata as { status: string }).status
}

function rowsOf(answer: Answer): Record<string, unknown>[] {
  return answer.metadata as Record<string, unknown>[]
}

function actionOf(metadata: unknown): unknown {
  return typeof metadata === 'object' && metadata !== null && 'action' in metadata ? metadata.action : undefined
}
