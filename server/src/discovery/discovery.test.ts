import { IncusMember } from '@malleus/shared/incus/member.ts'
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { parseEndpoint } from '../clusters/endpoint.ts'
import { MemberDirectory } from '../clusters/member-directory.ts'
import { ReportedMembers } from '../clusters/reported-members.ts'
import { MemberError } from '../gateway/member-error.ts'
import type { Answer, ReadRequest } from '../gateway/request.ts'
import { HealthBoard } from '../health/health-board.ts'
import { healthSettings } from '../health/health-settings.ts'
import { silentLogger } from '../lib/logger.ts'
import { systemRandom } from '../lib/random.ts'
import { Discovery } from './discovery.ts'

function row(name: string, address: string, more: object = {}) {
  return { server_name: name, url: `https://${address}:8443`, status: 'Online', ...more }
}

function incusSays(message: string, status: number): MemberError {
  return new MemberError({ kind: 'incus', member: 'server1', phase: 'answer', sent: true, message, status })
}

function world({ hasIdentity = true, networks = ['10.0.0.0/24'] as string[] | null, seeds = ['10.0.0.1:8443'] } = {}) {
  const clock = new ManualClock()
  const directory = new MemberDirectory(seeds.map(parseEndpoint))
  const board = new HealthBoard({ clock, random: systemRandom, settings: healthSettings() })
  const reported = new ReportedMembers()
  const keptLists: string[][] = []
  const cluster = { answer: (_path: string): unknown => [row('server1', '10.0.0.1')], reads: [] as string[] }
  const discovery = new Discovery({
    gateway: {
      read: async <Parsed>(request: ReadRequest<Parsed>): Promise<Answer<Parsed>> => {
        cluster.reads.push(request.path)
        const via = request.target.kind === 'member' ? request.target.name : (directory.list()[0]?.name ?? '')
        const said = cluster.answer(request.path)
        if (said instanceof Error) throw said
        return { value: request.parse.parse(said), operation: null, etag: null, via, attempts: 1, hedged: false }
      },
    },
    directory,
    board,
    reported,
    seeds: seeds.map(parseEndpoint),
    hasIdentity,
    memberNetworks: networks,
    memberPorts: [8443],
    keep: (members) => void keptLists.push(members.map(({ server_name }) => server_name)),
    resolve: () => Promise.reject(new Error('no such name')),
    clock,
    random: systemRandom,
    logger: silentLogger,
  })
  const names = () => directory.list().map(({ name }) => name)
  return { clock, directory, board, reported, cluster, discovery, names, keptLists }
}

describe('discovery', () => {
  test('replaces the seeds by what the cluster says, and keeps their health', async () => {
    const { clock, board, discovery, names } = world()
    discovery.start()
    board.observe('10.0.0.1:8443', { kind: 'probe-answered', answerMs: 3, fresh: true })
    await clock.pass(0)
    expect(names()).toEqual(['server1'])
    expect(board.current('server1').standing).toBe('healthy')
    expect(discovery.status.kind).toBe('read')
    expect(discovery.clustered).toBe(true)
  })

  test('sees members come and go while it runs, every ten seconds', async () => {
    const { clock, board, cluster, discovery, names } = world()
    discovery.start()
    await clock.pass(0)
    cluster.answer = () => [row('server1', '10.0.0.1'), row('server2', '10.0.0.2')]
    await clock.pass(11_000)
    expect(names()).toEqual(['server1', 'server2'])
    expect([...board.snapshot().keys()]).toEqual(['server1', 'server2'])
    cluster.answer = () => [row('server2', '10.0.0.2')]
    await clock.pass(11_000)
    expect(names()).toEqual(['server2'])
    expect(cluster.reads.length).toBeLessThanOrEqual(4)
  })

  test('a renamed member keeps its health', async () => {
    const { clock, board, cluster, discovery, names } = world()
    discovery.start()
    await clock.pass(0)
    board.observe('server1', { kind: 'probe-answered', answerMs: 3, fresh: true })
    cluster.answer = () => [row('alpha', '10.0.0.1')]
    await discovery.refresh()
    expect(names()).toEqual(['alpha'])
    expect(board.current('alpha').standing).toBe('healthy')
  })

  test('reads at once when asked to, and many callers cost one more reading', async () => {
    const { clock, cluster, discovery } = world()
    discovery.start()
    await clock.pass(0)
    cluster.reads.length = 0
    await Promise.all(Array.from({ length: 50 }, () => discovery.refresh()))
    expect(cluster.reads.length).toBeLessThanOrEqual(2)
  })

  test('keeps what it knows while nobody answers, says so, and recovers by itself', async () => {
    const { clock, cluster, discovery, names } = world()
    discovery.start()
    await clock.pass(0)
    cluster.answer = () => incusSays('no available cowsql leader server found', 503)
    await clock.pass(11_000)
    expect(discovery.status).toMatchObject({ kind: 'failed', reason: expect.stringContaining('cowsql') as string })
    expect(names()).toEqual(['server1'])
    cluster.answer = () => [row('server1', '10.0.0.1'), row('server2', '10.0.0.2')]
    await clock.pass(2_000)
    expect(names()).toEqual(['server1', 'server2'])
  })

  test('a standalone server is a cluster of one', async () => {
    const { clock, cluster, discovery, names } = world()
    cluster.answer = (path) =>
      path === ''
        ? { auth: 'trusted', environment: { server_name: 'alone' } }
        : incusSays('Server is not clustered', 500)
    discovery.start()
    await clock.pass(0)
    expect(names()).toEqual(['alone'])
    expect(discovery.clustered).toBe(false)
    expect(discovery.deepPath('alone')).toBe('/1.0/projects/default')
  })

  test('shows members outside of the networks and does not contact them', async () => {
    const { clock, cluster, discovery, directory } = world()
    cluster.answer = () => [row('server1', '10.0.0.1'), row('far', '192.0.2.9')]
    discovery.start()
    await clock.pass(0)
    expect(directory.get('far')).toMatchObject({
      contacted: false,
      why: expect.stringContaining('192.0.2.9:8443') as string,
    })
  })

  test('asks a seed that belongs to nobody who it is', async () => {
    const { clock, board, cluster, discovery, names, directory } = world({ networks: null, seeds: ['203.0.113.7:443'] })
    cluster.answer = (path) =>
      path === '' ? { auth: 'trusted', environment: { server_name: 'server1' } } : [row('server1', '10.0.0.1')]
    discovery.start()
    board.observe('203.0.113.7:443', { kind: 'probe-answered', answerMs: 3, fresh: true })
    await clock.pass(0)
    expect(names()).toEqual(['server1'])
    expect(directory.get('server1')).toMatchObject({ contacted: true, endpoint: { host: '203.0.113.7', port: 443 } })
    expect(board.current('server1').standing).toBe('healthy')
  })

  test('stops', async () => {
    const { clock, cluster, discovery } = world()
    discovery.start()
    await clock.pass(0)
    discovery.stop()
    cluster.reads.length = 0
    await clock.pass(60_000)
    await discovery.refresh()
    expect(cluster.reads).toEqual([])
  })
})

describe('without a console identity', () => {
  const rows = [row('server1', '10.0.0.1'), row('server2', '10.0.0.2')] as unknown as IncusMember[]

  test('it reads nothing by itself, and learns from what people are shown', async () => {
    const { clock, cluster, discovery, names, reported } = world({ hasIdentity: false })
    discovery.start()
    await clock.pass(60_000)
    expect(cluster.reads).toEqual([])
    expect(discovery.status).toEqual({ kind: 'cannot' })
    await discovery.learn(rows)
    expect(names()).toEqual(['server1', 'server2'])
    // What one person was shown is not shown to another.
    expect(reported.latest).toBeNull()
  })

  test('with one, people teach it nothing', async () => {
    const { discovery, names } = world()
    discovery.start()
    await discovery.learn(rows)
    expect(names()).toEqual(['10.0.0.1:8443'])
  })
})

describe('T-partial-rows: the list of members', () => {
  test('with rows that lack almost everything is a list', async () => {
    const { clock, cluster, discovery, reported, directory } = world()
    cluster.answer = () => [
      { server_name: 'server1', url: 'https://10.0.0.1:8443', config: null, groups: null, roles: null, status: null },
      { server_name: 'server2' },
      null,
      { url: 'https://10.0.0.4:8443' },
    ]
    discovery.start()
    await clock.pass(0)
    expect(directory.list().map(({ name, contacted }) => [name, contacted])).toEqual([
      ['server1', true],
      ['server2', false],
    ])
    expect(reported.latest?.rows.get('server1')).toMatchObject({ status: 'Unknown', roles: [], groups: [] })
  })

  test('tells of changes in what is reported, and not of a message that counts the time', async () => {
    const { clock, cluster, discovery, reported } = world()
    discovery.start()
    await clock.pass(0)
    let changes = 0
    reported.subscribe(() => (changes += 1))
    for (const message of ['No heartbeat for 20.1s', 'No heartbeat for 30.4s']) {
      cluster.answer = () => [row('server1', '10.0.0.1', { status: 'Offline', message })]
      await discovery.refresh()
    }
    expect(changes).toBe(1)
  })
})

describe('a console that is started anew', () => {
  const kept = {
    members: [row('server1', '10.0.0.1'), row('server2', '10.0.0.2'), row('server9', '192.0.2.9')].map((each) =>
      IncusMember.parse(each),
    ),
    at: Date.UTC(2025, 11, 31),
  }

  test('begins with what the cluster said before, and contacts nobody that it may not', async () => {
    const { clock, directory, board, cluster, discovery, names, reported } = world()
    cluster.answer = () => incusSays('context deadline exceeded', 500)
    discovery.start(kept)
    await clock.pass(0)
    expect(names()).toEqual(['server1', 'server2', 'server9'])
    expect([...board.snapshot().keys()]).toEqual(['server1', 'server2', 'server9'])
    expect(directory.list().map(({ contacted }) => contacted)).toEqual([true, true, false])
    expect(reported.latest).toMatchObject({ at: kept.at })
    expect(discovery.clustered).toBe(true)
    expect(discovery.status.kind).toBe('failed')
    cluster.answer = () => [row('server1', '10.0.0.1')]
    await clock.pass(2_000)
    expect(names()).toEqual(['server1'])
    expect(reported.latest?.at).toBeGreaterThan(clock.now() - 2_000)
  })

  test('takes the word of the cluster and not its own memory, whichever comes first', async () => {
    const { clock, discovery, names, reported } = world({ seeds: ['10.0.0.1:8443', 'slow.example:8443'] })
    discovery.start(kept)
    await clock.pass(0)
    expect(names()).toEqual(['server1', 'slow.example:8443'])
    expect([...(reported.latest?.rows.keys() ?? [])]).toEqual(['server1'])
  })

  test('has every list kept for that', async () => {
    const { clock, cluster, discovery, keptLists } = world()
    discovery.start()
    await clock.pass(0)
    cluster.answer = () => incusSays('context deadline exceeded', 500)
    await clock.pass(20_000)
    expect(keptLists.every((names) => names.join() === 'server1')).toBe(true)
    expect(keptLists.length).toBe(1)
  })
})
