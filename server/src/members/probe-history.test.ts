import type { ProbeRecord } from '@malleus/shared/api/members.ts'
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { openDatabase } from '../database/database.ts'
import type { Database } from '../database/database.ts'
import { silentLogger } from '../lib/logger.ts'
import { Subscribable } from '../lib/subscribable.ts'
import type { ProbeHistoryStore } from './probe-history-store.ts'
import { sqliteProbeHistoryStore } from './probe-history-store.sqlite.ts'
import { ProbeHistory, ranges } from './probe-history.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const start = Date.UTC(2026, 0, 1)

const good: ProbeRecord = {
  at: '2026-01-01T00:00:00.000Z',
  kind: 'light',
  connectMs: null,
  tlsMs: null,
  firstByteMs: 2,
  failure: null,
}
const failed: ProbeRecord = { ...good, firstByteMs: null, failure: { phase: 'connect', message: 'No.' } }

interface World {
  readonly clock: ManualClock
  readonly history: ProbeHistory
  readonly probe: (record?: ProbeRecord, member?: string) => void
}

function begin(store: ProbeHistoryStore, clock = new ManualClock(start)): World {
  const records = new Subscribable<{ readonly member: string; readonly record: ProbeRecord }>()
  const onRecord = records.subscribe.bind(records)
  const history = new ProbeHistory({ cluster: 'prod', onRecord, store, clock, logger: silentLogger })
  history.start()
  return { clock, history, probe: (record = good, member = 'server1') => records.publish({ member, record }) }
}

/** Statements of SQLite end in a thread of their own, which a clock that stands still does not wait for. */
async function written(database: Database): Promise<number> {
  const row = await database
    .tables<{ probe_piece: { at: number } }>()
    .selectFrom('probe_piece')
    .select(({ fn }) => fn.countAll<number>().as('rows'))
    .executeTakeFirstOrThrow()
  return row.rows
}

async function counts({ history }: World, range: '1h' | '24h' | '7d' | '30d', member = 'server1') {
  const { pieces } = await history.read(member, range)
  return new Map([...pieces].map(([number, piece]) => [number, piece.asked]))
}

describe('the record of probes', () => {
  test('has every probe in each range, at its time, and nothing where nobody asked', async () => {
    const database = await openDatabase(':memory:', 'malleus')
    const world = begin(sqliteProbeHistoryStore(database))
    world.probe()
    world.probe(failed)
    world.probe(good, 'server2')
    await world.clock.pass(25_000)
    world.probe()
    expect(await counts(world, '1h')).toEqual(
      new Map([
        [358, 2],
        [360, 1],
      ]),
    )
    for (const range of ['24h', '7d', '30d'] as const) {
      const { count } = await world.history.read('server1', range)
      expect(await counts(world, range)).toEqual(new Map([[count - 1, 3]]))
      expect(count).toBeLessThanOrEqual(500)
    }
    await world.history.stop()
    await database.close()
  })

  test('goes on after a restart in the midst of a piece, and shows the gap', async () => {
    const database = await openDatabase(':memory:', 'malleus')
    const store = sqliteProbeHistoryStore(database)
    const first = begin(store)
    for (let n = 0; n < 5; n += 1) first.probe()
    await first.history.stop()

    const second = begin(store, new ManualClock(start + 60_000))
    for (let n = 0; n < 3; n += 1) second.probe()
    await second.history.stop()

    const third = begin(store, new ManualClock(start + 60_000))
    expect(await counts(third, '1h')).toEqual(
      new Map([
        [354, 5],
        [360, 3],
      ]),
    )
    expect(await counts(third, '30d')).toEqual(new Map([[360, 8]]))
    await third.history.stop()
    await database.close()
  })

  test('loses ten seconds of the finest and a minute of the others when the console is killed', async () => {
    const database = await openDatabase(':memory:', 'malleus')
    const store = sqliteProbeHistoryStore(database)
    const killed = begin(store)
    for (let second = 0; second < 61; second += 1) {
      killed.probe()
      await killed.clock.pass(1_000)
    }
    await expect.poll(() => written(database)).toBe(9)
    const { clock } = begin(store, new ManualClock(killed.clock.now()))
    const next = begin(store, clock)
    expect([...(await counts(next, '1h')).values()]).toEqual([10, 10, 10, 10, 10, 10])
    // The last one may have come along with the write of the minute.
    expect([[60], [61]]).toContainEqual([...(await counts(next, '30d')).values()])
    await database.close()
  })

  test('keeps a month of 50 members in few rows, each as long as its range', async () => {
    const database = await openDatabase(':memory:', 'malleus')
    const store = sqliteProbeHistoryStore(database)
    const world = begin(store)
    // Two members for a little more than a day, at the pace of ten seconds, are 50 members in small.
    for (let n = 0; n < 26 * 360; n += 1) {
      for (const member of ['server1', 'server2']) world.probe(good, member)
      await world.clock.pass(10_000)
      // The worker keeps up with a real clock; with this one it has to be waited for.
      if (n % 60 === 0) await written(database)
    }
    await world.clock.pass(300_000)
    const kept = await written(database)
    // An hour and the five minutes until the next pruning, a day, 26 hours, and 26 hours.
    expect(kept / 2).toBeLessThanOrEqual(360 + 31 + 481 + 53 + 14 + 4)
    const perMember = Object.values(ranges).reduce((sum, { lengthMs, pieceMs }) => sum + lengthMs / pieceMs + 1, 0)
    expect(perMember).toBe(1_540)
    await world.history.stop()
    await database.close()
  })

  test('keeps probing undisturbed by a full disk, and writes what was missed when it is not', async () => {
    const rows = new Map<string, number>()
    const disk = { full: true }
    const store: ProbeHistoryStore = {
      write: async (_, pieces) => {
        if (disk.full) throw new Error('the disk is full')
        for (const { pieceMs, at, piece } of pieces) rows.set(`${pieceMs} ${at}`, piece.asked)
      },
      read: async () => [],
      readAt: async () => {
        if (disk.full) throw new Error('the disk is full')
        return []
      },
      prune: async () => {
        if (disk.full) throw new Error('the disk is full')
      },
    }
    const world = begin(store)
    for (let n = 0; n < 6; n += 1) {
      world.probe()
      await world.clock.pass(10_000)
    }
    expect(rows.size).toBe(0)
    expect([...(await counts(world, '1h')).values()]).toEqual([1, 1, 1, 1, 1, 1])
    disk.full = false
    await world.clock.pass(60_000)
    expect([...rows].filter(([key]) => key.startsWith('10000 ')).map(([, asked]) => asked)).toEqual([1, 1, 1, 1, 1, 1])
    expect(rows.get(`7200000 ${start}`)).toBe(6)
  })

  test('adds what an earlier run counted once the disk can be read, and never writes over it', async () => {
    const database = await openDatabase(':memory:', 'malleus')
    const whole = sqliteProbeHistoryStore(database)
    const first = begin(whole)
    for (let n = 0; n < 4; n += 1) first.probe()
    await first.history.stop()

    let failing = true
    const readAt: ProbeHistoryStore['readAt'] = (...args) =>
      failing ? Promise.reject(new Error('input/output error')) : whole.readAt(...args)
    const second = begin({ ...whole, readAt }, new ManualClock(start + 20_000))
    second.probe()
    await second.clock.pass(180_000)
    failing = false
    second.probe()
    await second.history.stop()

    const third = begin(whole, new ManualClock(second.clock.now()))
    expect([...(await counts(third, '30d')).values()]).toEqual([6])
    await third.history.stop()
    await database.close()
  })

  test('lets go of a member that is no longer asked', async () => {
    const database = await openDatabase(':memory:', 'malleus')
    const world = begin(sqliteProbeHistoryStore(database))
    world.probe(good, 'server9')
    await world.clock.pass(3 * HOUR)
    expect([...(await counts(world, '24h', 'server9')).values()]).toEqual([1])
    world.probe()
    await world.history.stop()
    const later = begin(sqliteProbeHistoryStore(database), new ManualClock(start + 31 * DAY))
    await later.clock.pass(20_000)
    await expect.poll(() => written(database)).toBe(0)
    await later.history.stop()
    await database.close()
  })
})
