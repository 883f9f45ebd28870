import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sql } from 'kysely'
import { ManualClock } from '../../testing/manual-clock.ts'
import { openDatabase } from '../database/database.ts'
import { StorageUnavailable } from '../database/database-error.ts'
import type { Database } from '../database/database.ts'
import { silentLogger } from '../lib/logger.ts'
import { systemRandom } from '../lib/random.ts'
import { SqliteIdempotencyStore } from './idempotency-store.sqlite.ts'
import { openIdempotencyKeys } from './idempotency.ts'
import type { KeptReply } from './idempotency.ts'

let database: Database
let clock: ManualClock

beforeEach(async () => {
  database = await openDatabase(':memory:', 'malleus')
  clock = new ManualClock()
})

afterEach(() => database.close())

const open = (store = new SqliteIdempotencyStore(database)) =>
  openIdempotencyKeys({
    store,
    hmacKey: Buffer.alloc(32, 3),
    clock,
    random: systemRandom,
    logger: silentLogger,
  })

const jo = { iss: 'https://idp.example.net', sub: 'jo' }
const asked = { key: '6f0c', principal: jo, bodyHash: 'POST /x 1' }
const reply: KeptReply = { status: 200, body: '{"operation":"o"}', via: 'server1', attempts: 1 }

describe('a change that is asked for twice with one key', () => {
  test('is made once, and answered twice', async () => {
    const keys = await open()
    let executed = 0
    const work = () => {
      executed += 1
      return Promise.resolve(reply)
    }
    expect(await keys.run(asked, work)).toEqual(reply)
    expect(await keys.run(asked, work)).toEqual(reply)
    expect(executed).toBe(1)
  })

  test('is refused while the first is being made', async () => {
    const keys = await open()
    let finish: (reply: KeptReply) => void = () => undefined
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
    const first = keys.run(asked, () => {
      begin()
      return new Promise((resolve) => (finish = resolve))
    })
    await begun
    await expect(keys.run(asked, never)).rejects.toMatchObject({ code: 'already_running' })
    finish(reply)
    expect(await first).toEqual(reply)
  })

  test('is made once of fifty at the same moment', async () => {
    const keys = await open()
    let executed = 0
    const all = await Promise.allSettled(
      Array.from({ length: 50 }, () =>
        keys.run(asked, () => {
          executed += 1
          return Promise.resolve(reply)
        }),
      ),
    )
    expect(executed).toBe(1)
    expect(all.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0)
  })

  test('is refused when it is another change', async () => {
    const keys = await open()
    await keys.run(asked, () => Promise.resolve(reply))
    await expect(keys.run({ ...asked, bodyHash: 'POST /y 1' }, never)).rejects.toMatchObject({
      code: 'idempotency_key_reused',
    })
  })

  test('is another change when another person asks', async () => {
    const keys = await open()
    const other = { ...reply, via: 'server2' }
    await keys.run(asked, () => Promise.resolve(reply))
    expect(await keys.run({ ...asked, principal: { ...jo, sub: 'al' } }, () => Promise.resolve(other))).toEqual(other)
  })

  test('is made when the first was certainly not', async () => {
    const keys = await open()
    const refused = Object.assign(new Error('refused'), { code: 'audit_unavailable' })
    await expect(keys.run(asked, () => Promise.reject(refused))).rejects.toBe(refused)
    expect(await keys.run(asked, () => Promise.resolve(reply))).toEqual(reply)
  })

  test('is not made again when nobody knows whether the first was', async () => {
    const keys = await open()
    const unknown = Object.assign(new Error('no answer'), { code: 'outcome_unknown' })
    await expect(keys.run(asked, () => Promise.reject(unknown))).rejects.toBe(unknown)
    await expect(keys.run(asked, never)).rejects.toMatchObject({ code: 'outcome_unknown' })
  })

  test('is not made again when the process ended in the middle of the first', async () => {
    const before = await open()
    void before.run(asked, () => new Promise(() => undefined))
    await expect(before.run(asked, never)).rejects.toMatchObject({ code: 'already_running' })
    const after = await open()
    await expect(after.run(asked, never)).rejects.toMatchObject({ code: 'outcome_unknown' })
  })

  test('is answered the same after a restart, and forgotten after a day', async () => {
    await (await open()).run(asked, () => Promise.resolve(reply))
    const after = await open()
    expect(await after.run(asked, never)).toEqual(reply)
    await clock.pass(24 * 3_600_000 + 1)
    const again = { ...reply, via: 'server9' }
    await after.run({ ...asked, key: 'another' }, () => Promise.resolve(reply))
    expect(await after.run(asked, () => Promise.resolve(again))).toEqual(again)
  })

  test('is not made at all when the key cannot be kept', async () => {
    const keys = await open()
    await sql`pragma query_only = 1`.execute(database.tables())
    await expect(keys.run(asked, never)).rejects.toMatchObject({ code: 'storage_unavailable' })
  })

  test('is answered although its reply could not be kept, and answered again when it can', async () => {
    const keys = await open()
    const answered = await keys.run(asked, async () => {
      await sql`pragma query_only = 1`.execute(database.tables())
      return reply
    })
    expect(answered).toEqual(reply)
    await expect(keys.run(asked, never)).rejects.toMatchObject({ code: 'storage_unavailable' })
    await sql`pragma query_only = 0`.execute(database.tables())
    expect(await keys.run(asked, never)).toEqual(reply)
  })

  test('is made when the database had written its key down and could not say so', async () => {
    const store = new SqliteIdempotencyStore(database)
    const take = store.take.bind(store)
    const lost = new StorageUnavailable('the answer was lost')
    store.take = async (...key) => {
      await take(...key)
      store.take = take
      throw lost
    }
    const keys = await open(store)
    await expect(keys.run(asked, never)).rejects.toBe(lost)
    expect(await keys.run(asked, () => Promise.resolve(reply))).toEqual(reply)
    expect(await keys.run(asked, never)).toEqual(reply)
  })

  test('leaves its key to another process that has taken it meanwhile', async () => {
    const store = new SqliteIdempotencyStore(database)
    const release = store.release.bind(store)
    store.release = async (...key) => {
      await release(...key)
      store.release = release
      throw new StorageUnavailable('the answer was lost')
    }
    const failed = new Error('it was sent to nobody')
    const here = await open(store)
    await expect(here.run(asked, () => Promise.reject(failed))).rejects.toBe(failed)
    const there = await open()
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
    void there.run(asked, () => {
      begin()
      return new Promise(() => undefined)
    })
    await begun
    await expect(here.run(asked, never)).rejects.toMatchObject({ code: 'already_running' })
    await expect(here.run(asked, never)).rejects.toMatchObject({ code: 'already_running' })
  })
})

function never(): Promise<KeptReply> {
  throw new Error('it was made')
}
