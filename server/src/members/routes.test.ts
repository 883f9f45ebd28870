import { X509Certificate } from 'node:crypto'
import { getHealthHistory, getMember, listMembers } from '@malleus/shared/api/members.ts'
import { Problem } from '@malleus/shared/api/problem.ts'
import { afterEach, describe, expect, test } from 'vitest'
import { startGatewayWorld } from '../../testing/gateway-world.ts'
import type { GatewayWorld } from '../../testing/gateway-world.ts'
import { startTestDoor } from '../../testing/test-door.ts'
import type { TestDoor } from '../../testing/test-door.ts'
import type { StandInClusterOptions } from '../../testing/stand-in/options.ts'
import { parseEndpoint } from '../clusters/endpoint.ts'
import { ReportedMembers } from '../clusters/reported-members.ts'
import { fingerprintOf } from '../clusters/trust.ts'
import { Discovery } from '../discovery/discovery.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { MemberError } from '../gateway/member-error.ts'
import type { Answer, ReadRequest } from '../gateway/request.ts'
import { Instances } from '../instances/instances.ts'
import { systemClock } from '../lib/clock.ts'
import { silentLogger } from '../lib/logger.ts'
import { systemRandom } from '../lib/random.ts'
import { fromIncus } from '../operations/operation-log.ts'
import { Prober } from '../probes/prober.ts'
import { HealthHistory } from './health-history.ts'
import { Members } from './members.ts'
import { Readings } from './readings.ts'
import { ReportedByCluster } from './reported-by-cluster.ts'
import { memberRoutes } from './routes.ts'
import { ServerFacts } from './server-facts.ts'

const clock = systemClock
const ends: (() => Promise<void> | void)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

interface World {
  readonly cluster: GatewayWorld['cluster']
  readonly board: GatewayWorld['board']
  readonly door: TestDoor
  readonly list: () => Promise<ReturnType<typeof listMembers.reply.parse> & { ms: number }>
  readonly change: (member: string, body: object, as?: 'admin' | 'viewer') => Promise<{ status: number; text: string }>
}

/** The rooms of one cluster as the console wires them, behind the real door. `instead` takes the place of the gateway. */
async function world(
  options: { cluster?: StandInClusterOptions; instead?: Pick<Gateway, 'read' | 'write'>; background?: boolean } = {},
): Promise<World> {
  const {
    cluster,
    directory,
    board,
    transport,
    gateway: real,
    ...rest
  } = await startGatewayWorld(options.cluster === undefined ? {} : { cluster: options.cluster })
  ends.push(async () => rest[Symbol.asyncDispose]())
  const gateway = options.instead ?? real
  const reported = new ReportedMembers()
  const identity = cluster.state.trust.all().find(({ type }) => type === 'client')?.fingerprint ?? 'none'
  const tools = { clock, random: systemRandom, logger: silentLogger }
  const seeds = cluster.addresses.map(parseEndpoint)
  const common = { gateway, directory, board, ...tools }
  const discovery = new Discovery({
    ...common,
    reported,
    seeds,
    hasIdentity: true,
    memberNetworks: null,
    memberPorts: [],
    resolve: () => Promise.resolve([]),
  })
  const readings = new Readings({ ...common, identity: () => identity })
  const prober = new Prober({ transport, board, mode: 'certificate', deep: true, ...tools })
  ends.push(directory.subscribe((members) => prober.follow(members)))
  prober.follow(directory.list())
  if (options.background !== false) {
    discovery.start()
    prober.start()
    readings.start()
    ends.push(
      () => readings.stop(),
      () => prober.stop(),
      () => discovery.stop(),
    )
  }
  const instances = new Instances({
    ...common,
    scope: () => ({ kind: 'console' }),
    projects: 'all',
    isTold: () => false,
  })
  ends.push(() => instances.stop())
  const members = new Members({
    directory,
    board,
    readings,
    probed: prober,
    reportedByCluster: new ReportedByCluster({
      gateway,
      reported,
      isDatabaseLost: () => false,
      learn: () => {},
      clock,
    }),
    serverFacts: new ServerFacts({ gateway, readings, clock }),
    instanceCounts: () => instances.counts(),
    refresh: () => void discovery.refresh(),
    learnStandalone: (name, via) => discovery.learnStandalone(name, via),
    clock,
  })
  const store = { write: async () => {}, read: async () => [], prune: async () => {} }
  const history = new HealthHistory({ cluster: 'prod-eu', board, store, clock, logger: silentLogger })
  await history.start()
  ends.push(() => history.stop())
  const routes = memberRoutes(() => ({
    members,
    gateway,
    history,
    records: { readHealth: () => Promise.reject(new Error('nothing is written down here')) },
    begun: (operation, { principal }) =>
      Promise.resolve(fromIncus(operation, null, { name: principal.name, here: true }, clock.now())),
  }))
  const door = await startTestDoor({ routes })
  ends.push(() => door.close())
  return {
    cluster,
    board,
    door,
    list: async () => {
      const startedAt = performance.now()
      const reply = await door.ask('/api/clusters/prod-eu/members')
      expect(reply.status, reply.text).toBe(200)
      return { ...listMembers.reply.parse(JSON.parse(reply.text)), ms: performance.now() - startedAt }
    },
    change: (member, body, as = 'admin') =>
      door.ask(`/api/clusters/prod-eu/members/${member}/state`, { method: 'POST', body: JSON.stringify(body), as }),
  }
}

/** Tries until it holds, for at most ten seconds. */
async function eventually<Value>(get: () => Promise<Value> | Value, holds: (value: Value) => boolean): Promise<Value> {
  for (const deadline = performance.now() + 10_000; ;) {
    const value = await get()
    if (holds(value)) return value
    if (performance.now() > deadline) throw new Error(`it never held: ${JSON.stringify(value).slice(-1_500)}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

describe('the list of servers', () => {
  test('says what the cluster reports, and beside it what is observed and read', async () => {
    const { list, cluster, board } = await world({ cluster: { members: 3, groups: { edge: ['server2', 'server3'] } } })
    await eventually(
      () => [...board.snapshot().values()].map(({ standing }) => standing),
      (standings) => standings.every((standing) => standing === 'healthy'),
    )
    const { members, groups, modes } = await eventually(list, ({ members }) =>
      members.every(
        ({ load, memory, instances, reported }) =>
          load.value !== null &&
          memory.value !== null &&
          instances.value !== null &&
          reported.freshness.kind === 'fresh',
      ),
    )
    expect(members.map(({ name }) => name)).toEqual(['server1', 'server2', 'server3'])
    const fingerprint = fingerprintOf(new X509Certificate(cluster.certificate))
    expect(members[0]).toMatchObject({
      address: cluster.address('server1'),
      notContacted: null,
      reported: { value: { status: 'Online', database: true }, freshness: { kind: 'fresh' } },
      health: { standing: 'healthy', symptom: null },
      presented: { verdict: 'same', fingerprint },
      instances: { value: { count: 3 } },
    })
    expect(groups).toContainEqual({ name: 'edge', members: ['server2', 'server3'] })
    expect(modes.evacuate).toContain('')
    expect(modes.evacuate).toContain('live-migrate')
  })

  test('does not wait for a server that is stuck, and names it', async () => {
    const { list, cluster, board } = await world()
    cluster.setLeader('server1')
    await eventually(
      () => board.current('server3').standing,
      (standing) => standing === 'healthy',
    )
    await cluster.break('server3', 'stuck')
    const slowest: number[] = []
    const { members } = await eventually(
      async () => {
        const listed = await list()
        slowest.push(listed.ms)
        return listed
      },
      ({ members }) => members[2]?.health.standing === 'ejected',
    )
    expect(Math.max(...slowest)).toBeLessThan(450)
    expect(members[2]).toMatchObject({
      reported: { value: { status: 'Online' } },
      health: { standing: 'ejected', symptom: 'stuck', failure: { phase: 'tls' } },
    })
    expect(members[0]?.health.standing).toBe('healthy')
  })

  test('shows the last known rows, with their age, when nobody answers', async () => {
    const { list, cluster } = await world()
    await eventually(list, ({ members }) => members[0]?.reported.freshness.kind === 'fresh')
    for (const name of cluster.members) await cluster.break(name, 'stuck')
    const { members, ms } = await list()
    expect(ms).toBeLessThan(450)
    expect(members.map(({ reported }) => [reported.value?.status, reported.freshness.kind])).toEqual([
      ['Online', 'stale'],
      ['Online', 'stale'],
      ['Online', 'stale'],
    ])
  })

  test('follows members that join and leave', async () => {
    const { list, cluster } = await world({ cluster: { members: 2 } })
    await eventually(list, ({ members }) => members.length === 2)
    await cluster.removeMember('server2')
    const { members } = await eventually(
      list,
      ({ members }) => members[1]?.reported.value === null || members.length === 1,
    )
    expect(members[0]).toMatchObject({ name: 'server1', reported: { value: { status: 'Online' } } })
  })
})

describe('one server', () => {
  test('in detail, with its latest probes', async () => {
    const { door } = await world()
    const { member } = await eventually(
      async () => {
        const reply = await door.ask('/api/clusters/prod-eu/members/server2')
        expect(reply.status, reply.text).toBe(200)
        return getMember.reply.parse(JSON.parse(reply.text))
      },
      ({ member }) => member.version.value !== null && member.pools.value !== null && member.clockSkewMs.value !== null,
    )
    expect(member.version.value).toMatch(/^6\.0/)
    expect(member.uptimeSeconds.value).toBeGreaterThan(0)
    expect(Math.abs(member.clockSkewMs.value ?? Infinity)).toBeLessThan(1_000)
    expect(member.pools.value?.[0]).toMatchObject({ name: 'local' })
    expect(member.probes[0]).toMatchObject({ failure: null })
  })

  test('that does not exist is not found, in a sentence', async () => {
    const { door } = await world({ background: false })
    const reply = await door.ask('/api/clusters/prod-eu/members/server9')
    expect(reply.status).toBe(404)
    expect(Problem.parse(JSON.parse(reply.text))).toMatchObject({
      code: 'not_found',
      detail: 'There is no server called server9.',
    })
  })

  test('has a strip of its health', async () => {
    const { door, board } = await world()
    await eventually(
      () => board.current('server1').standing,
      (standing) => standing === 'healthy',
    )
    const reply = await door.ask('/api/clusters/prod-eu/health-history')
    const { members, pieceMs } = getHealthHistory.reply.parse(JSON.parse(reply.text))
    expect(pieceMs).toBe(2_400_000)
    expect(members['server1']).toHaveLength(36)
    expect(members['server1']?.slice(0, 35)).toEqual(Array.from({ length: 35 }, () => null))
    expect(members['server1']?.[35]).toBe('healthy')
  })
})

describe('evacuate and restore', () => {
  test('ask Incus once, and give back the operation', async () => {
    const { list, change, cluster, board } = await world()
    await eventually(
      () => board.current('server3').standing,
      (standing) => standing === 'healthy',
    )
    const evacuated = await change('server3', { action: 'evacuate' })
    expect(evacuated.status, evacuated.text).toBe(202)
    expect(JSON.parse(evacuated.text)).toMatchObject({
      operation: { location: 'server3', startedBy: { name: 'admin', here: true } },
    })
    const status = (wanted: string) => eventually(list, ({ members }) => members[2]?.reported.value?.status === wanted)
    await status('Evacuated')
    // 6.0 says so from the first moment on, and does not restore before the evacuation is complete.
    await eventually(
      () => cluster.state.member('server3').state,
      (state) => state === 'evacuated',
    )
    const again = await change('server3', { action: 'evacuate' })
    expect(again.status).toBe(409)
    expect(Problem.parse(JSON.parse(again.text))).toMatchObject({
      code: 'not_possible',
      detail: 'server3 is already evacuated.',
    })
    expect((await change('server3', { action: 'restore' })).status).toBe(202)
    await status('Online')
    expect(cluster.executions.filter(({ action }) => action.startsWith('member.')).map(({ action }) => action)).toEqual(
      ['member.evacuate', 'member.restore'],
    )
  })

  test('nothing is sent for a server that does not answer', async () => {
    const { change, cluster, board } = await world()
    await eventually(
      () => board.current('server3').standing,
      (standing) => standing === 'healthy',
    )
    cluster.setLeader('server1')
    await cluster.break('server3', 'stuck')
    await eventually(
      () => board.current('server3').standing,
      (standing) => standing === 'ejected',
    )
    const reply = await change('server3', { action: 'evacuate' })
    expect(reply.status).toBe(409)
    expect(Problem.parse(JSON.parse(reply.text)).detail).toContain('server3 does not answer')
    expect(cluster.executions).toEqual([])
  })

  test('nor with a mode that this version does not know', async () => {
    const { change, cluster } = await world({ cluster: { version: '6.0.4' } })
    const reply = await change('server1', { action: 'restore', mode: 'skip' })
    expect(reply.status).toBe(409)
    expect(cluster.executions).toEqual([])
  })

  test('nor for somebody who may not', async () => {
    const { change, cluster } = await world({ background: false })
    expect((await change('server1', { action: 'evacuate' }, 'viewer')).status).toBe(403)
    expect(cluster.executions).toEqual([])
  })
})

describe('T-partial-rows: the endpoints answer and mark', () => {
  function saying(said: (request: ReadRequest<unknown>) => unknown): Pick<Gateway, 'read' | 'write'> {
    return {
      read: async <Parsed>(request: ReadRequest<Parsed>): Promise<Answer<Parsed>> => {
        const value = said(request)
        if (value instanceof Error) throw value
        return {
          value: request.parse.parse(value),
          operation: null,
          etag: null,
          via: 'server1',
          attempts: 1,
          hedged: false,
        }
      },
      write: () => Promise.reject(new Error('nothing is written here')),
    }
  }

  const rows = [
    {
      server_name: 'server1',
      url: 'https://10.0.0.1:8443',
      config: null,
      groups: null,
      roles: null,
      status: 'Pondering',
    },
    { server_name: 'server2', message: null, status: 7 },
    null,
    { status: 'Online' },
  ]

  test('rows with nothing in them, an unknown status and missing members', async () => {
    const { list } = await world({ background: false, instead: saying(() => rows) })
    const { members, groups } = await list()
    expect(
      members.map(({ name, reported }) => [name, reported.value?.status ?? null, reported.freshness.kind]),
    ).toEqual([
      ['server1', 'Pondering', 'fresh'],
      ['server2', 'Unknown', 'fresh'],
      ['server3', null, 'unavailable'],
    ])
    expect(groups).toEqual([])
    for (const { load, memory, instances } of members) {
      for (const part of [load, memory, instances]) expect(part.freshness.kind).toBe('unavailable')
    }
  })

  test.each<[string, Error, RegExp]>([
    ['the database has no leader', failure('no available cowsql leader server found', 503), /cowsql/],
    [
      'a list in another shape',
      new MemberError({
        kind: 'bad-reply',
        member: 'server1',
        phase: 'answer',
        sent: true,
        message: 'server1 said something else',
      }),
      /something else/,
    ],
  ])('%s: every server is there, and what is missing says why', async (_, error, why) => {
    const { list } = await world({ background: false, instead: saying(() => error) })
    const { members } = await list()
    expect(members).toHaveLength(3)
    for (const { reported } of members) {
      expect(reported).toMatchObject({
        value: null,
        freshness: { kind: 'unavailable', reason: expect.stringMatching(why) as string },
      })
    }
  })

  test('a refusal to this person is told, and not hidden behind old rows', async () => {
    const { door } = await world({ instead: saying(() => failure('not authorized', 403)), background: false })
    const reply = await door.ask('/api/clusters/prod-eu/members')
    expect(reply.status).toBe(403)
  })

  test('a standalone server is listed without what only clusters have', async () => {
    const { list } = await world({
      background: false,
      instead: saying(({ path }) =>
        path === '/cluster/members'
          ? failure('Server is not clustered', 500)
          : { auth: 'trusted', environment: { server_name: 'alone' } },
      ),
    })
    const { members } = await list()
    expect(members[0]?.reported.freshness).toMatchObject({
      kind: 'unavailable',
      reason: 'This server is not part of a cluster.',
    })
  })

  function failure(message: string, status: number): MemberError {
    const code = status === 403 ? { code: 'cluster_refused' as const } : {}
    return new MemberError({ kind: 'incus', member: 'server1', phase: 'answer', sent: true, message, status, ...code })
  }
})
