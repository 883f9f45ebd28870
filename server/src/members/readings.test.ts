import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { parseEndpoint } from '../clusters/endpoint.ts'
import { MemberDirectory } from '../clusters/member-directory.ts'
import { MemberError, NoResponsiveMember } from '../gateway/member-error.ts'
import type { Answer, ReadRequest } from '../gateway/request.ts'
import { HealthBoard } from '../health/health-board.ts'
import { healthSettings } from '../health/health-settings.ts'
import { systemRandom } from '../lib/random.ts'
import { describeReadFailure, knownFrom, nextReading, notReadYet } from './reading.ts'
import type { MemberReadings } from './readings.ts'
import { Readings, lastTold, noIdentity } from './readings.ts'

function incusSays(message: string, status: number): MemberError {
  return new MemberError({ kind: 'incus', member: 'server1', phase: 'answer', sent: true, message, status })
}

function world(identity: string | null = 'f'.repeat(64)) {
  const clock = new ManualClock()
  const directory = new MemberDirectory([])
  const known = (name: string, contacted = true) => {
    return { name, endpoint: parseEndpoint('10.0.0.1:8443'), groups: [], contacted, why: contacted ? null : 'Outside.' }
  }
  directory.replace(['server1', 'server2'].map((name) => known(name)))
  const board = new HealthBoard({ clock, random: systemRandom, settings: healthSettings() })
  board.retain(['server1', 'server2'])
  const asked: { path: string; of: string }[] = []
  const cluster = {
    answer: async (path: string, _of: string): Promise<unknown> => {
      if (path === '') return { auth: 'trusted', environment: { server_version: '6.0.4', server_name: 'server1' } }
      if (path === '/resources') return { cpu: { total: 8 }, memory: { used: 1, total: 4 } }
      if (path.startsWith('/certificates/')) return { fingerprint: 'f', restricted: false }
      return { sysinfo: { uptime: 60, load_averages: [1, 2, 3] } }
    },
  }
  const readings = new Readings({
    gateway: {
      read: async <Parsed>(request: ReadRequest<Parsed>): Promise<Answer<Parsed>> => {
        const of = request.target.kind === 'member' ? request.target.name : 'any'
        asked.push({ path: request.path, of })
        expect(request.scope).toEqual({ kind: 'console' })
        const value = request.parse.parse(await cluster.answer(request.path, of))
        return { value, operation: null, etag: null, via: of, attempts: 1, hedged: false }
      },
    },
    directory,
    board,
    identity: () => identity,
    clock,
    random: systemRandom,
  })
  const count = (path: RegExp) => asked.filter((each) => path.test(each.path)).length
  return { clock, directory, board, readings, cluster, asked, known, count }
}

describe('the background readings', () => {
  test('ask each member about itself, state every 15 s, resources and version every minute', async () => {
    const { clock, readings, asked, count } = world()
    readings.start()
    await clock.pass(0)
    expect(readings.of('server1').state.value?.sysinfo?.uptime).toBe(60)
    expect(readings.of('server2').server.value?.environment?.server_version).toBe('6.0.4')
    asked.length = 0
    await clock.pass(120_000)
    expect(count(/state$/) / 2).toBeGreaterThanOrEqual(7)
    expect(count(/state$/) / 2).toBeLessThanOrEqual(9)
    expect(count(/resources$/) / 2).toBeLessThanOrEqual(3)
    expect(asked.filter(({ path }) => path.endsWith('/server2/state')).every(({ of }) => of === 'server2')).toBe(true)
    readings.stop()
    asked.length = 0
    await clock.pass(120_000)
    expect(asked).toEqual([])
  })

  test('one member that hangs holds up nothing of the others', async () => {
    const { clock, readings, cluster } = world()
    const answer = cluster.answer
    cluster.answer = (path, of) => (of === 'server2' ? new Promise(() => {}) : answer(path, of))
    readings.start()
    await clock.pass(0)
    expect(readings.of('server1').state.value).not.toBeNull()
    expect(readings.of('server2').state).toEqual(notReadYet)
  })

  test('keep old values when new ones cannot be had, and say why', async () => {
    const { clock, readings, cluster } = world()
    readings.start()
    await clock.pass(0)
    cluster.answer = () =>
      Promise.reject(new NoResponsiveMember('member_unavailable', 'server1 does not answer', [], 1))
    await clock.pass(20_000)
    expect(readings.of('server1').state).toMatchObject({
      value: { sysinfo: { uptime: 60 } },
      failure: 'server1 does not answer.',
    })
  })

  test('a member that answers again is read at once', async () => {
    const { clock, readings, board, asked } = world()
    readings.start()
    const failure = { phase: 'tls', how: 'silent', fresh: true, message: 'No handshake.' } as const
    for (let n = 0; n < 2; n += 1) board.observe('server2', { kind: 'probe-failed', failure })
    await clock.pass(1_000)
    asked.length = 0
    board.observe('server2', { kind: 'probe-answered', answerMs: 1, fresh: true })
    await clock.pass(0)
    expect(new Set(asked.map(({ of }) => of))).toEqual(new Set(['server2']))
  })

  test('a member that is new is read at once, and one that left is forgotten', async () => {
    const { clock, readings, directory, known } = world()
    readings.start()
    await clock.pass(0)
    directory.replace([known('server2'), known('server3'), known('far', false)])
    await clock.pass(0)
    expect(readings.of('server3').state.value).not.toBeNull()
    expect(readings.of('server1').state.value).toBeNull()
    expect(readings.of('far').state).toEqual(notReadYet)
  })

  test('without an identity nothing is asked, and everything says so', async () => {
    const { clock, readings, asked } = world(null)
    readings.start()
    await clock.pass(120_000)
    expect(asked).toEqual([])
    expect(readings.of('server1').state.failure).toBe(noIdentity)
  })

  test('with a restricted one, instances are not counted as if they were all', async () => {
    const { clock, readings, cluster } = world()
    const answer = cluster.answer
    cluster.answer = (path, of) =>
      path.startsWith('/certificates/')
        ? Promise.resolve({ fingerprint: 'f', restricted: true, projects: ['web'] })
        : answer(path, of)
    readings.start()
    await clock.pass(0)
    expect(readings.instancesInPart).toContain('web')
  })

  test('tell what a member says it is, each time it says so', async () => {
    const { clock, readings } = world()
    const said: string[] = []
    readings.onServer(({ member, server }) => said.push(`${member} ${server.environment?.server_version ?? ''}`))
    readings.start()
    await clock.pass(0)
    expect(new Set(said)).toEqual(new Set(['server1 6.0.4', 'server2 6.0.4']))
    readings.refreshServers()
    await clock.pass(0)
    expect(said).toHaveLength(4)
  })
})

describe('a reading over the wire', () => {
  const at = Date.UTC(2026, 10, 22)
  const read = nextReading<{ n: number | null }>(notReadYet, { value: { n: 7 } }, at)
  const view = (reading: typeof read, now: number) => knownFrom(reading, ({ n }) => n, { now, everyMs: 15_000 })

  test('is fresh for two and a half of its intervals', () => {
    expect(view(read, at + 37_000)).toEqual({
      value: 7,
      freshness: { kind: 'fresh', asOf: '2026-11-22T00:00:00.000Z' },
    })
    expect(view(read, at + 38_000)).toMatchObject({ value: 7, freshness: { kind: 'stale' } })
  })

  test('is stale when the latest attempt failed', () => {
    const failed = nextReading(read, { failure: 'No answer.' }, at + 1)
    expect(view(failed, at + 2)).toMatchObject({ value: 7, freshness: { kind: 'stale', reason: 'No answer.' } })
  })

  test('is unavailable, with the reason, when there never was one', () => {
    expect(view(notReadYet, at)).toMatchObject({ value: null, freshness: { reason: 'It has not been read yet.' } })
    const failed = nextReading<{ n: number | null }>(notReadYet, { failure: 'No answer.' }, at)
    expect(view(failed, at)).toMatchObject({ value: null, freshness: { kind: 'unavailable', reason: 'No answer.' } })
  })

  test('T-partial-rows: what the server leaves out is unavailable, and no zero', () => {
    const partial = nextReading<{ n: number | null }>(notReadYet, { value: { n: null } }, at)
    expect(view(partial, at)).toMatchObject({ value: null, freshness: { reason: 'The server does not tell it.' } })
  })
})

describe('what a member told last', () => {
  const at = Date.UTC(2026, 0, 1)
  const told = { value: {}, readAt: at, failure: null }
  const all = { state: told, resources: told, server: told } as unknown as MemberReadings
  const cannot = { value: null, readAt: null, failure: noIdentity }
  const [stuck, lost] = ['The server is stuck.', 'The cluster database does not answer.']

  test.each<[string, string | null, string | null, (string | null)[]]>([
    ['is current while it answers', null, null, [null, null, null]],
    ['is old as soon as it does not', stuck, null, [stuck, stuck, stuck]],
    ['through the database is old as soon as that does not answer', null, lost, [lost, null, null]],
    ['is old for its own reason first', stuck, lost, [stuck, stuck, stuck]],
  ])('%s', (_, silence, loss, failures) => {
    const { state, resources, server } = lastTold(all, silence, loss)
    expect([state, resources, server].map(({ failure }) => failure)).toEqual(failures)
    expect(state.value).toBe(told.value)
  })

  test('is nothing, for its own reason, where it cannot be read at all', () => {
    const never = { state: cannot, resources: notReadYet, server: cannot }
    const { state, resources } = lastTold(never, stuck, lost)
    expect([state.failure, resources.failure]).toEqual([noIdentity, stuck])
  })
})

describe('why something could not be read', () => {
  test.each<[unknown, RegExp]>([
    [incusSays('not authorized', 403), /^The cluster refuses it to the console's own identity: not authorized/],
    [incusSays('Certificate is restricted', 500), /^The cluster refuses it/],
    [incusSays('Missing event connection with target cluster member', 500), /^The server answered: Missing event/],
    [new NoResponsiveMember('member_unavailable', 'server3 does not answer', [], 1), /^server3 does not answer\.$/],
    [
      new NoResponsiveMember('member_unavailable', 'x', [incusSays('not authorized', 403)], 1),
      /^The cluster refuses it/,
    ],
    [new Error('socket hang up'), /^socket hang up\.$/],
    ['a string', /^A string\.$/],
  ])('%s', (error, text) => {
    expect(describeReadFailure(error)).toMatch(text)
  })
})
