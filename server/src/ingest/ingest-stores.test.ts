import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import type { Database } from '../database/database.ts'
import { openDatabase } from '../database/database.ts'
import { sqliteIdentityUseStore } from './identity-use-store.sqlite.ts'
import { IdentityUses } from './identity-uses.ts'
import { sqliteStreamStore } from './stream-store.sqlite.ts'

let database: Database
beforeEach(async () => {
  database = await openDatabase(':memory:', 'malleus')
})
afterEach(() => database.close())

const line = {
  kind: 'handled',
  user: { name: 'a'.repeat(64), protocol: 'tls' },
  at: 1_000,
  address: '10.0.0.1',
  member: 'server1',
} as const

function uses(clock = new ManualClock()) {
  const store = sqliteIdentityUseStore(database)
  return { clock, uses: new IdentityUses({ cluster: 'prod-eu', store, clock, logger: pino({ level: 'silent' }) }) }
}

test('the last use of an identity outlives a restart', async () => {
  const first = uses()
  await first.uses.start()
  first.uses.saw(line)
  first.uses.saw({ ...line, at: 3_000, address: '10.0.0.3', member: 'server3' })
  // Members' clocks differ, and lines of two of them arrive in any order.
  first.uses.saw({ ...line, at: 2_000 })
  await first.uses.stop()
  const second = uses()
  await second.uses.start()
  expect(second.uses.of('tls', 'a'.repeat(64))).toEqual({
    protocol: 'tls',
    identity: 'a'.repeat(64),
    at: 3_000,
    address: '10.0.0.3',
    member: 'server3',
  })
  expect(second.uses.of('oidc', 'a'.repeat(64))).toBeNull()
  await second.uses.stop()
})

test('whom nobody knew used nothing', async () => {
  const { uses: known } = uses()
  known.saw({ ...line, kind: 'refused', user: null })
  known.saw({ ...line, kind: 'open', user: null })
  expect(known.of('tls', 'a'.repeat(64))).toBeNull()
})

test('streams and their gaps are kept for each cluster', async () => {
  const store = sqliteStreamStore(database)
  await store.writeStreams('prod-eu', [{ stream: 'events', began: 1, seen: 2 }])
  await store.writeStreams('prod-eu', [{ stream: 'events', began: 5, seen: 9 }])
  await store.writeGap('prod-eu', { stream: 'events', from: 2, to: 4, reason: 'it was lost' })
  await store.writeGap('prod-eu', { stream: 'events', from: 6, to: 8, reason: 'it was lost again' })
  expect(await store.streams('prod-eu')).toEqual([{ stream: 'events', began: 1, seen: 9 }])
  expect(await store.streams('prod-us')).toEqual([])
  await store.prune('prod-eu', 5)
  expect(await store.gaps('prod-eu')).toEqual([{ stream: 'events', from: 6, to: 8, reason: 'it was lost again' }])
})
