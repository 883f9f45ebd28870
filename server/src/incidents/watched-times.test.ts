import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { openDatabase } from '../database/database.ts'
import type { Database } from '../database/database.ts'
import { silentLogger } from '../lib/logger.ts'
import { WatchedTimes } from './watched-times.ts'
import { sqliteWatchedTimesStore } from './watched-times-store.sqlite.ts'

const start = Date.UTC(2026, 0, 1)
const at = (seconds: number) => start + seconds * 1_000

async function run(database: Database, seconds: number) {
  const clock = new ManualClock(at(seconds))
  const store = sqliteWatchedTimesStore(database)
  const watched = new WatchedTimes({ cluster: 'prod', store, clock, logger: silentLogger })
  await watched.start()
  return { clock, watched }
}

describe('when the console watched', () => {
  test('leaves gaps between its runs, and before the first one', async () => {
    const database = await openDatabase(':memory:', 'malleus')
    const first = await run(database, 100)
    expect(first.watched.pause).toBeNull()
    await first.clock.pass(55_000)
    await first.watched.stop()
    const second = await run(database, 200)
    expect(second.watched.pause).toEqual({ from: at(155), to: at(200) })
    await second.watched.stop()
    const third = await run(database, 300)
    expect(third.watched.gaps(at(0), at(310))).toEqual([
      { from: at(0), to: at(100) },
      { from: at(155), to: at(200) },
      { from: at(200), to: at(300) },
    ])
    expect(third.watched.gaps(at(180), at(190))).toEqual([{ from: at(180), to: at(190) }])
    expect(third.watched.gaps(at(301), at(310))).toEqual([])
    expect(third.watched.since).toBe(at(100))
    await third.watched.stop()
    await database.close()
  })

  test('of a run that was killed is known to ten seconds', async () => {
    const database = await openDatabase(':memory:', 'malleus')
    const killed = await run(database, 0)
    await killed.clock.pass(35_000)
    const lastSeen = async () => (await sqliteWatchedTimesStore(database).read('prod'))[0]?.to
    await expect.poll(lastSeen).toBe(at(30))
    const next = await run(database, 60)
    expect(next.watched.pause).toEqual({ from: at(30), to: at(60) })
    await next.watched.stop()
    await database.close()
  })

  test('nothing is claimed while it cannot be read, and it is tried again', async () => {
    const clock = new ManualClock(at(60))
    let failing = true
    const watched = new WatchedTimes({
      cluster: 'prod',
      store: {
        read: async () => {
          if (failing) throw new Error('input/output error')
          return [{ from: at(0), to: at(30) }]
        },
        write: async () => {},
        prune: async () => {},
      },
      clock,
      logger: silentLogger,
    })
    await watched.start()
    expect([watched.known, watched.gaps(at(0), at(60)), watched.pause]).toEqual([false, [], null])
    failing = false
    await clock.pass(10_000)
    expect([watched.known, watched.gaps(at(0), at(60))]).toEqual([true, [{ from: at(30), to: at(60) }]])
    await watched.stop()
  })
})
