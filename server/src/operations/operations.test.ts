import { IncusOperation } from '@malleus/shared/incus/operation.ts'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { silentLogger } from '../lib/logger.ts'
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

function setUp(list: () => Promise<readonly IncusOperation[]>) {
  const clock = new ManualClock()
  const starters = new Starters()
  return {
    clock,
    starters,
    operations: new Operations({ list, answers: () => true, starters, clock, logger: silentLogger }),
  }
}

describe('operations', () => {
  it('answer within 250 ms while Incus waits for a member that hangs', async () => {
    const { clock, operations } = setUp(() => new Promise(() => {}))
    const answer = operations.list()
    await clock.pass(250)
    expect(await answer).toMatchObject({ operations: [], freshness: { kind: 'unavailable' } })
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

  it('end as unknown when the cluster no longer knows them', async () => {
    let listed = [operation()]
    const { clock, operations } = setUp(async () => listed)
    await operations.list()
    listed = []
    await clock.pass(10_000)
    await operations.refresh()
    expect((await operations.list()).operations).toMatchObject([{ id: 'op1', status: 'unknown' }])
  })

  it('leave tokens out, because they hold secrets', async () => {
    const { operations } = setUp(async () => [operation({ class: 'token', metadata: { secret: 'x' } })])
    expect((await operations.list()).operations).toEqual([])
  })

  it('are forgotten ten minutes after their end, though nobody asks for the list', async () => {
    const { clock, operations } = setUp(async () => [])
    const end = (id: string) => {
      const time = new Date(clock.now()).toISOString()
      const metadata = operation({ id, status_code: 200, updated_at: time })
      operations.hear({ type: 'operation', timestamp: time, location: 'server3', project: '', metadata })
    }
    for (let minute = 0; minute < 60; minute += 1) {
      end(`op${minute}`)
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
})
