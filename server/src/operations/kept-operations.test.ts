import type { Operation } from '@malleus/shared/api/operations.ts'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { MemoryOperationStore } from '../../testing/memory-operation-store.ts'
import { instant } from '../lib/clock.ts'
import { silentLogger } from '../lib/logger.ts'
import { KeptOperations } from './kept-operations.ts'
import { resultKeptMs } from './operation-log.ts'

function setUp(store = new MemoryOperationStore(), clock = new ManualClock()) {
  return { store, clock, kept: new KeptOperations({ cluster: 'prod-eu', store, clock, logger: silentLogger }) }
}

function operation(id: string, clock: ManualClock, fields: Partial<Operation> = {}): Operation {
  return {
    id,
    description: 'Migrating instance',
    status: 'running',
    looking: false,
    found: null,
    location: 'server3',
    project: 'default',
    createdAt: instant(clock.now()),
    updatedAt: instant(clock.now()),
    heardAt: instant(clock.now()),
    endedAt: null,
    progress: null,
    percent: null,
    error: null,
    mayCancel: false,
    resources: [],
    startedBy: null,
    ...fields,
  }
}

const ids = (operations: readonly Operation[]) => operations.map(({ id, status }) => `${id} ${status}`)

describe('what is kept', () => {
  it('is there after a restart for those who saw it, and for nobody else', async () => {
    const { clock, store, kept } = setUp()
    const told = { id: 'op1', metadata: { stage: 'x' } }
    kept.saw('aa', operation('op1', clock), told)
    kept.saw('aa', operation('op2', clock, { status: 'failure', error: 'no space' }), null)
    kept.saw('bb', operation('op3', clock, { status: 'success' }), null)
    await kept.stop()

    const again = setUp(store, clock).kept
    expect(ids((await again.open()).map((row) => row.operation))).toEqual(['op1 running', 'op2 failure', 'op3 success'])
    expect(ids(again.seenBy('aa'))).toEqual(['op1 running', 'op2 failure'])
    expect(await again.one('aa', 'op1')).toMatchObject({ told })
    expect(await again.one('bb', 'op1')).toBeNull()
    expect(ids((await again.piece('bb', 0)).operations)).toEqual(['op3 success'])
  })

  it('that was being looked for at the end is looked for again', async () => {
    const { clock, store, kept } = setUp()
    kept.saw('aa', operation('op1', clock, { status: 'unknown', looking: true }), null)
    await kept.stop()
    const again = setUp(store, clock).kept
    await again.open()
    expect(again.seenBy('aa')).toMatchObject([{ id: 'op1', status: 'running', looking: false }])
  })

  it('is written once for all that happens in half a second, and an end at once', async () => {
    const { clock, store, kept } = setUp()
    for (let percent = 0; percent < 50; percent += 1) {
      kept.saw('aa', operation('op1', clock, { percent }), null)
      await clock.pass(10)
    }
    expect(store.writes).toBe(1)
    kept.saw('aa', operation('op1', clock, { status: 'success' }), null)
    await clock.pass(20)
    expect((await kept.piece('aa', 0)).operations).toMatchObject([{ status: 'success' }])
  })

  it('leaves memory some minutes after its end, and stays in the database', async () => {
    const { clock, kept } = setUp()
    kept.saw('aa', operation('op1', clock, { status: 'success' }), null)
    await clock.pass(resultKeptMs + 1_000)
    kept.saw('aa', operation('op2', clock, { status: 'success' }), null)
    await clock.pass(1_000)
    expect(ids(kept.seenBy('aa'))).toEqual(['op2 success'])
    expect(await kept.one('aa', 'op1')).toMatchObject({ operation: { id: 'op1' } })
    expect(await kept.one('bb', 'op1')).toBeNull()
  })

  it('is written later when the disk cannot take it now, and what was told meanwhile with it', async () => {
    const { clock, store, kept } = setUp()
    store.broken = true
    kept.saw('aa', operation('op1', clock), null)
    await clock.pass(1_000)
    kept.saw('aa', operation('op2', clock), null)
    store.broken = false
    await clock.pass(6_000)
    expect(ids((await kept.piece('aa', 0)).operations)).toEqual(['op1 running', 'op2 running'])
  })

  it('is forgotten after 30 days, what went well before the rest where there is too much', async () => {
    const { clock, store, kept } = setUp()
    await kept.open()
    await clock.pass(60_000)
    const now = clock.now()
    const day = 86_400_000
    expect(store.prunes).toEqual([{ since: now - 30 * day, wellSince: now - day, most: 10_000 }])
    await clock.pass(3_600_000)
    expect(store.prunes).toHaveLength(2)
  })

  it('is counted on beyond what was counted before, also where that could not be read', async () => {
    const { clock, store, kept } = setUp()
    kept.saw('aa', operation('op1', clock), null)
    await kept.stop()
    const { revision } = await kept.piece('aa', 0)
    store.broken = true
    const again = setUp(store, clock).kept
    expect(await again.open()).toEqual([])
    store.broken = false
    again.saw('aa', operation('op2', clock), null)
    await clock.pass(1_000)
    expect(ids((await again.piece('aa', revision)).operations)).toEqual(['op2 running'])
  })

  it('is told in pieces in the order of change, also what somebody sees later than it changed', async () => {
    const { clock, kept } = setUp()
    kept.saw('aa', operation('op1', clock), null)
    await clock.pass(1_000)
    const { revision } = await kept.piece('aa', 0)
    kept.saw('bb', operation('op2', clock, { status: 'success' }), null)
    await clock.pass(1_000)
    expect((await kept.piece('aa', revision)).operations).toEqual([])
    kept.saw('aa', operation('op2', clock, { status: 'success' }), null)
    await clock.pass(1_000)
    expect(ids((await kept.piece('aa', revision)).operations)).toEqual(['op2 success'])
  })

  it('is told on when it is news, and only then', async () => {
    const { clock, kept } = setUp()
    const told: Operation[] = []
    kept.subscribe((each) => told.push(each))
    const running = operation('op1', clock)
    expect(kept.saw('aa', running, null).isNew).toBe(true)
    expect(kept.saw('bb', running, null).isNew).toBe(false)
    kept.saw('bb', { ...running, status: 'success' }, null)
    // Who missed the end has it from who did not.
    expect(kept.saw('aa', { ...running, status: 'unknown', looking: true }, null).operation.status).toBe('success')
    expect(ids(told)).toEqual(['op1 running', 'op1 success'])
  })
})
