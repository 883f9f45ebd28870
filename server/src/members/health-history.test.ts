import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { openDatabase } from '../database/database.ts'
import { HealthBoard } from '../health/health-board.ts'
import { healthSettings } from '../health/health-settings.ts'
import type { Observation } from '../health/health.ts'
import { silentLogger } from '../lib/logger.ts'
import { systemRandom } from '../lib/random.ts'
import type { HealthHistoryStore, HistoryPiece } from './health-history-store.ts'
import { sqliteHealthHistoryStore } from './health-history-store.sqlite.ts'
import { HealthHistory, PIECE_MS } from './health-history.ts'

const good: Observation = { kind: 'probe-answered', answerMs: 1, fresh: true }
const failed: Observation = {
  kind: 'probe-failed',
  failure: { phase: 'tls', how: 'silent', fresh: true, message: 'No.' },
}

function memoryStore(): HealthHistoryStore & { rows: Map<string, HistoryPiece>; failing: boolean } {
  const rows = new Map<string, HistoryPiece>()
  const store = {
    rows,
    failing: false,
    write: async (_cluster: string, pieces: readonly HistoryPiece[]) => {
      if (store.failing) throw new Error('the disk is full')
      for (const piece of pieces) rows.set(`${piece.member} ${piece.piece}`, piece)
    },
    read: async (_cluster: string, from: number) => [...rows.values()].filter(({ piece }) => piece >= from),
    prune: async (_cluster: string, before: number) => {
      for (const [key, { piece }] of rows) if (piece < before) rows.delete(key)
    },
  }
  return store
}

async function watching(store: HealthHistoryStore, clock = new ManualClock()) {
  const board = new HealthBoard({ clock, random: systemRandom, settings: healthSettings() })
  board.retain(['server1', 'server2'])
  const history = new HealthHistory({ cluster: 'prod', board, store, clock, logger: silentLogger })
  const started = history.start()
  await clock.pass(0)
  await started
  const strip = async (member: string) => (await history.strips()).members[member]!
  return { clock, board, history, strip }
}

describe('the strip of 24 hours', () => {
  test('has the worst of each 40 minutes, and nothing from before the console ran', async () => {
    const { clock, board, strip } = await watching(memoryStore())
    for (const name of ['server1', 'server2']) board.observe(name, good)
    for (let n = 0; n < 2; n += 1) board.observe('server2', failed)
    for (let n = 0; n < 9; n += 1) board.observe('server2', good)
    expect((await strip('server1')).slice(-2)).toEqual([null, 'healthy'])
    expect((await strip('server2')).at(-1)).toBe('ejected')
    await clock.pass(PIECE_MS)
    expect((await strip('server1')).slice(-3)).toEqual([null, 'healthy', 'healthy'])
    expect((await strip('server2')).slice(-2)).toEqual(['ejected', 'probation'])
  })

  test('begins each piece with what is believed then', async () => {
    const { clock, board, strip } = await watching(memoryStore())
    for (let n = 0; n < 2; n += 1) board.observe('server1', failed)
    await clock.pass(2 * PIECE_MS)
    expect((await strip('server1')).slice(-3)).toEqual(['ejected', 'ejected', 'ejected'])
  })

  test('is 36 pieces, oldest first, and keeps no more', async () => {
    const store = memoryStore()
    const { clock, board, history } = await watching(store)
    board.observe('server1', good)
    await clock.pass(50 * PIECE_MS)
    const { from, pieceMs, members } = await history.strips()
    expect(members['server1']).toEqual(Array.from({ length: 36 }, () => 'healthy'))
    expect(Date.parse(from) + 36 * pieceMs).toBeGreaterThan(clock.now())
    expect(Date.parse(from) + 35 * pieceMs).toBeLessThanOrEqual(clock.now())
    expect(store.rows.size).toBeLessThanOrEqual(2 * 37)
  })

  test('survives a restart in the midst of a piece, with what was bad in it, and shows the gap', async () => {
    const database = await openDatabase(':memory:', 'malleus')
    const store = sqliteHealthHistoryStore(database)
    const first = await watching(store)
    for (let n = 0; n < 2; n += 1) first.board.observe('server1', failed)
    await first.history.stop()

    const soon = new ManualClock(first.clock.now() + 60_000)
    const second = await watching(store, soon)
    second.board.observe('server1', good)
    expect((await second.strip('server1')).slice(-2)).toEqual([null, 'ejected'])
    await second.history.stop()

    const later = new ManualClock(first.clock.now() + 3 * PIECE_MS)
    const third = await watching(store, later)
    third.board.observe('server1', good)
    expect((await third.strip('server1')).slice(-4)).toEqual(['ejected', null, null, 'healthy'])
    await third.history.stop()
    await database.close()
  })

  test('goes on when the disk is full, and writes what was missed when it is not', async () => {
    const store = memoryStore()
    const { clock, board, strip } = await watching(store)
    await clock.pass(0)
    store.rows.clear()
    store.failing = true
    board.observe('server1', good)
    await clock.pass(0)
    expect((await strip('server1')).at(-1)).toBe('healthy')
    expect(store.rows.size).toBe(0)
    store.failing = false
    await clock.pass(31_000)
    expect([...store.rows.values()].filter(({ member }) => member === 'server1')).toMatchObject([
      { standing: 'healthy' },
    ])
  })
})
