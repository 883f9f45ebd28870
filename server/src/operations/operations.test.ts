import type { Operation } from '@malleus/shared/api/operations.ts'
import { IncusOperation } from '@malleus/shared/incus/operation.ts'
import { describe, expect, it, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { MemoryOperationStore } from '../../testing/memory-operation-store.ts'
import { MemberError } from '../gateway/member-error.ts'
import { silentLogger } from '../lib/logger.ts'
import { systemRandom } from '../lib/random.ts'
import { KeptOperations } from './kept-operations.ts'
import { LostOperations } from './lost-operations.ts'
import { NoSuchOperation } from './operation-error.ts'
import type { OperationsPorts } from './operations.ts'
import { Operations } from './operations.ts'
import { Starters } from './starters.ts'

function operation(fields: object = {}) {
  return IncusOperation.parse({
    id: 'op1',
    class: 'task',
    description: 'Evacuating cluster member',
    created_at: '2026-01-01T00:00:00Z',
    updated_at: '2026-01-01T00:00:00Z',
    status_code: 103,
    location: 'server3',
    ...fields,
  })
}

type Shared = Pick<OperationsPorts, 'kept' | 'lost' | 'starters' | 'clock'>

function setUp(
  list: () => Promise<readonly IncusOperation[]>,
  ports: Partial<OperationsPorts> = {},
  store = new MemoryOperationStore(),
) {
  const clock = new ManualClock()
  const starters = new Starters()
  const kept = new KeptOperations({ cluster: 'prod-eu', store, clock, logger: silentLogger })
  const shared = { kept, lost: new LostOperations({ clock, logger: silentLogger }), starters, clock }
  return { clock, starters, kept, store, shared, operations: view(shared, list, ports) }
}

/** What one authority sees of what all share. */
function view(
  shared: Shared,
  list: () => Promise<readonly IncusOperation[]>,
  ports: Partial<OperationsPorts> = {},
): Operations {
  return new Operations({
    list: async () => {
      const value = await list()
      return { value, operation: null, etag: null, via: 'server1', attempts: 1, hedged: false }
    },
    one: async () => null,
    isDone: async () => null,
    answers: () => true,
    silence: () => null,
    members: () => ['server1', 'server3'],
    isTold: () => true,
    projects: async () => 'all',
    authority: 'aa',
    random: systemRandom,
    logger: silentLogger,
    ...shared,
    ...ports,
  })
}

function ended(id: string, clock: ManualClock) {
  const time = new Date(clock.now()).toISOString()
  const metadata = operation({ id, status_code: 200, updated_at: time })
  return { type: 'operation', timestamp: time, location: 'server3', project: '', metadata } as const
}

const states = (operations: readonly Operation[]) =>
  operations.map(({ id, status, looking, found }) => [id, status, looking, found].filter(Boolean).join(' '))

describe('operations', () => {
  it('answer within 250 ms while Incus waits for a member that hangs', async () => {
    const { clock, operations } = setUp(() => new Promise(() => {}))
    const answer = operations.list()
    await clock.pass(250)
    expect(await answer).toMatchObject({ operations: [], freshness: { kind: 'unavailable' } })
  })

  it('are there at once where they are kept, while Incus waits for a member that hangs', async () => {
    const first = setUp(async () => [operation()])
    await first.operations.list()
    await first.kept.stop()
    const { clock, kept, operations } = setUp(() => new Promise(() => {}), {}, first.store)
    await kept.open()
    operations.start()
    const answer = operations.list()
    await clock.pass(250)
    expect(await answer).toMatchObject({ operations: [{ id: 'op1', status: 'running' }] })
  })

  it('that ran before a restart and are not listed any more are looked for', async () => {
    const first = setUp(async () => [operation()])
    await first.operations.list()
    await first.kept.stop()
    const { clock, kept, operations } = setUp(async () => [], {}, first.store)
    await kept.open()
    operations.start()
    await clock.pass(0)
    expect(states((await operations.list()).operations)).toEqual(['op1 unknown true'])
    await clock.pass(70_000)
    expect(states((await operations.list()).operations)).toEqual(['op1 unknown'])
  })

  it('say of each server how current they are, and how many are there', async () => {
    let stuck = false
    const { clock, operations } = setUp(async () => [operation()], {
      silence: (member) => (stuck && member === 'server3' ? 'The server is stuck.' : null),
      answers: (member) => !(stuck && member === 'server3'),
    })
    const { members } = await operations.list()
    expect(members).toMatchObject([
      { name: 'server1', count: 0, freshness: { kind: 'fresh' } },
      { name: 'server3', count: 1, freshness: { kind: 'fresh' } },
    ])
    const asOf = new Date(clock.now()).toISOString()
    stuck = true
    await clock.pass(20_000)
    expect((await operations.list()).members).toMatchObject([
      { name: 'server1', freshness: { kind: 'fresh' } },
      { name: 'server3', freshness: { kind: 'stale', asOf, reason: 'The server is stuck.' } },
    ])
  })

  it('are kept current by events', async () => {
    const { operations } = setUp(async () => [operation()])
    await operations.list()
    const metadata = operation({ status_code: 200, updated_at: '2026-01-01T00:00:04Z' })
    const event = { type: 'operation', timestamp: 't', location: 'server3', project: 'default', metadata } as const
    operations.hear(event)
    expect((await operations.list()).operations).toMatchObject([{ id: 'op1', status: 'success', project: 'default' }])
  })

  it('that vanished are found out although the clock of their member is ahead', async () => {
    let listed = [operation({ updated_at: '2026-01-01T01:00:00Z' })]
    const { clock, operations } = setUp(async () => listed)
    await operations.list()
    listed = []
    await clock.pass(10_000)
    expect((await operations.list()).operations).toMatchObject([{ status: 'unknown' }])
  })

  it('that ran on a member which came back without them end as unknown', async () => {
    let listed = [operation()]
    const { clock, operations } = setUp(async () => listed)
    await operations.list()
    await clock.pass(1_000)
    listed = []
    operations.answersAgain('server1')
    await clock.pass(0)
    expect((await operations.list()).operations).toMatchObject([{ status: 'running' }])
    operations.answersAgain('server3')
    await clock.pass(0)
    expect((await operations.list()).operations).toMatchObject([{ status: 'unknown' }])
  })

  it('are asked for again while one runs, and no longer when none does or nobody looks', async () => {
    let asked = 0
    let listed = [operation()]
    const { clock, operations } = setUp(async () => {
      asked += 1
      return listed
    })
    await operations.list()
    await clock.pass(30_000)
    expect(asked).toBe(4)
    listed = []
    await clock.pass(10_000)
    expect((await operations.list()).operations).toMatchObject([{ status: 'unknown' }])
    await clock.pass(60_000)
    expect(asked).toBe(5)

    listed = [operation({ id: 'op2' })]
    await operations.refresh()
    operations.stop()
    await clock.pass(60_000)
    expect(asked).toBe(6)
  })

  it('leave tokens out, because they hold secrets', async () => {
    const { operations } = setUp(async () => [operation({ class: 'token', metadata: { secret: 'x' } })])
    expect((await operations.list()).operations).toEqual([])
  })

  it('leave memory ten minutes after their end, though nobody asks for the list', async () => {
    const { clock, operations } = setUp(async () => [])
    for (let minute = 0; minute < 60; minute += 1) {
      operations.hear(ended(`op${minute}`, clock))
      await clock.pass(60_000)
    }
    expect(operations.remembered).toBeLessThan(15)
  })

  it('name who began them here', async () => {
    const { starters, operations } = setUp(async () => [operation()])
    starters.note('op1', { name: 'mika', entry: null })
    expect((await operations.list()).operations).toMatchObject([{ startedBy: { name: 'mika', here: true } }])
  })

  it('say since when the list is old when it can no longer be read', async () => {
    let fail = false
    const { operations } = setUp(async () => {
      if (fail) throw new Error('No server answers.')
      return []
    })
    await operations.list()
    fail = true
    await operations.refresh()
    expect((await operations.list()).freshness).toMatchObject({ kind: 'stale', reason: 'No server answers.' })
  })

  it('are not shown to whom Incus refuses them now, nor what is kept of them', async () => {
    const refusal = new MemberError({
      kind: 'incus',
      member: 'server1',
      phase: 'answer',
      sent: true,
      status: 403,
      message: 'Forbidden',
    })
    let refuses = false
    const { operations } = setUp(async () => {
      if (refuses) throw refusal
      return [operation()]
    })
    await operations.list()
    refuses = true
    await operations.refresh()
    await expect(operations.list()).rejects.toBe(refusal)
    await expect(operations.kept(0)).rejects.toBe(refusal)
  })
})

describe('an operation that is lost', () => {
  async function lose(ports: Partial<OperationsPorts>) {
    let listed = [operation()]
    const world = setUp(async () => listed, ports)
    world.operations.start()
    await world.operations.list()
    listed = []
    await world.clock.pass(10_000)
    return { ...world, now: async () => states((await world.operations.list()).operations) }
  }

  test.each<[string, boolean | null, string]>([
    ['its object is as it was to make it', true, 'op1 unknown done'],
    ['its object is not', false, 'op1 unknown not-done'],
    ['nobody can tell', null, 'op1 unknown'],
  ])('is looked for, and where %s, that is said: %s', async (_, isDone, expected) => {
    let seen: boolean | null = null
    const { clock, now } = await lose({ isDone: async () => seen })
    expect(await now()).toEqual(['op1 unknown true'])
    seen = isDone
    await clock.pass(70_000)
    expect(await now()).toEqual([expected])
  })

  it('runs on where Incus knows it after all', async () => {
    const { now } = await lose({ one: async () => operation() })
    expect(await now()).toEqual(['op1 running'])
  })

  it('has its end from whoever hears it, with another authority too', async () => {
    const { clock, operations, shared, now } = await lose({})
    const other = view(shared, async () => [], { authority: 'bb' })
    const heard: Operation[] = []
    operations.subscribe((each) => heard.push(each))
    other.hear(ended('op1', clock))
    expect(await now()).toEqual(['op1 success'])
    expect(states(heard)).toEqual(['op1 success'])
    await clock.pass(70_000)
    expect(await now()).toEqual(['op1 success'])
  })

  it('is not looked for by everybody who misses it', async () => {
    let asked = 0
    const one = async () => {
      asked += 1
      return null
    }
    let listed = [operation()]
    const { clock, shared, operations } = setUp(async () => listed, { one })
    const others = ['bb', 'cc'].map((authority) => view(shared, async () => listed, { authority, one }))
    for (const each of [operations, ...others]) await each.list()
    listed = []
    await clock.pass(10_000)
    asked = 0
    await clock.pass(20_000)
    expect(asked).toBeLessThanOrEqual(11)
  })
})

describe('T-scope-leak: what others saw', () => {
  const web = { resources: { instances: ['/1.0/instances/secret-name?project=web'] } }

  it('does not exist for whom Incus did not tell it: in no list, by no id, in no event', async () => {
    const { clock, shared, operations } = setUp(async () => [operation({ id: 'op-web', ...web })])
    const other = view(shared, async () => [operation({ id: 'op-2' })], { authority: 'bb' })
    const told: Operation[] = []
    other.subscribe((each) => told.push(each))
    other.start()
    await operations.list()
    await other.list()
    operations.hear({ ...ended('op-web', clock), metadata: operation({ id: 'op-web', status_code: 200, ...web }) })
    await clock.pass(1_000)
    const seen = [await other.list(), await other.kept(0), told]
    expect(JSON.stringify(seen)).not.toMatch(/op-web|secret-name/)
    expect(states((await other.kept(0)).operations)).toEqual(['op-2 running'])
    await expect(other.get('op-web')).rejects.toThrow(NoSuchOperation)
    expect((await operations.get('op-web')).operation.status).toBe('success')
  })

  it('is shown no more when the person lost the project', async () => {
    let projects: readonly string[] = ['default', 'web']
    const { clock, operations } = setUp(async () => [operation({ id: 'op-web', ...web }), operation({ id: 'op-2' })], {
      projects: async () => projects,
    })
    await operations.list()
    await clock.pass(1_000)
    expect((await operations.kept(0)).operations).toHaveLength(2)
    projects = ['default']
    expect(states((await operations.list()).operations)).toEqual(['op-2 running'])
    expect(states((await operations.kept(0)).operations)).toEqual(['op-2 running'])
    await expect(operations.get('op-web')).rejects.toThrow(NoSuchOperation)
  })
})

describe('one operation', () => {
  it('is asked of Incus where it was not told yet', async () => {
    const one = async (id: string) => (id === 'op9' ? operation({ id, metadata: { stage: 'x' } }) : null)
    const { operations } = setUp(async () => [], { one })
    expect(await operations.get('op9')).toMatchObject({ operation: { id: 'op9' }, told: { metadata: { stage: 'x' } } })
    await expect(operations.get('op8')).rejects.toThrow(NoSuchOperation)
  })

  it('that is a token is none', async () => {
    const { operations } = setUp(async () => [], { one: async (id) => operation({ id, class: 'token' }) })
    await expect(operations.get('op9')).rejects.toThrow(NoSuchOperation)
  })
})
