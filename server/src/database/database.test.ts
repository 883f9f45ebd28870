import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { systemClock } from '../lib/clock.ts'
import { CannotOpenDatabase, ConstraintViolated, StatementRefused, StorageUnavailable } from './database-error.ts'
import { openDatabase } from './database.ts'
import type { Database } from './database.ts'

interface Tables {
  session_end: { key: Uint8Array; kind: string; at: number }
}

let folder: string
const opened: Database[] = []

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'malleus-database-'))
})

afterEach(async () => {
  await Promise.all(opened.splice(0).map((database) => database.close()))
  await rm(folder, { recursive: true, force: true })
})

async function openHere(...rest: Parameters<typeof openDatabase> extends [string, ...infer Rest] ? Rest : never) {
  const database = await openDatabase(folder, ...rest)
  opened.push(database)
  return database
}

const row = (key: number, kind = 'idle') => ({ key: new Uint8Array([key]), kind, at: 5 })

describe('a database', () => {
  test('keeps rows across a restart', async () => {
    const first = await openHere('malleus')
    await first.tables<Tables>().insertInto('session_end').values(row(1)).execute()
    await first.close()
    const second = await openHere('malleus')
    expect(await second.tables<Tables>().selectFrom('session_end').selectAll().execute()).toEqual([row(1)])
  })

  test('runs with a write-ahead log and full synchronisation', async () => {
    const database = await openHere('malleus')
    const journal = await sql`pragma journal_mode`.execute(database.tables<Tables>())
    const synchronous = await sql`pragma synchronous`.execute(database.tables<Tables>())
    expect([journal.rows, synchronous.rows]).toEqual([[{ journal_mode: 'wal' }], [{ synchronous: 2 }]])
  })

  test('is readable by its owner only, the log beside it too', async () => {
    const database = await openHere('audit')
    await sql`create table t (x integer)`.execute(database.tables<Tables>())
    for (const name of ['audit.db', 'audit.db-wal']) {
      expect((await stat(path.join(folder, name))).mode & 0o777).toBe(0o600)
    }
  })

  test('carries out all of several queries or none', async () => {
    const database = await openHere('malleus')
    const table = database.tables<Tables>()
    const both = database.atomically([
      table.insertInto('session_end').values(row(1)),
      table.insertInto('session_end').values(row(1)),
    ])
    await expect(both).rejects.toBeInstanceOf(ConstraintViolated)
    expect(await table.selectFrom('session_end').selectAll().execute()).toEqual([])
    await database.atomically([table.insertInto('session_end').values(row(2))])
    expect(await table.selectFrom('session_end').selectAll().execute()).toEqual([row(2)])
  })

  test('counts the rows a change touched', async () => {
    const table = (await openHere('malleus')).tables<Tables>()
    await table
      .insertInto('session_end')
      .values([row(1), row(2, 'signed-out')])
      .execute()
    const deleted = await table.deleteFrom('session_end').where('at', '=', 5).executeTakeFirst()
    expect(deleted.numDeletedRows).toBe(2n)
  })

  test('refuses transactions that would be held open', async () => {
    const table = (await openHere('malleus')).tables<Tables>()
    await expect(table.transaction().execute(() => Promise.resolve(1))).rejects.toThrow('given whole')
  })

  test('says that storage is unavailable while it cannot write, and writes again when it can', async () => {
    const table = (await openHere('malleus')).tables<Tables>()
    await sql`pragma query_only = 1`.execute(table)
    await expect(table.insertInto('session_end').values(row(1)).execute()).rejects.toBeInstanceOf(StorageUnavailable)
    await sql`pragma query_only = 0`.execute(table)
    await table.insertInto('session_end').values(row(1)).execute()
    expect(await table.selectFrom('session_end').select('kind').execute()).toEqual([{ kind: 'idle' }])
  })

  test('names a mistake in a statement as one', async () => {
    const database = await openHere('malleus')
    await expect(sql`selct 1`.execute(database.tables<Tables>())).rejects.toBeInstanceOf(StatementRefused)
  })

  test('gives up on a disk that does not answer in time', async () => {
    const deadlines: (() => void)[] = []
    const after = (_delayMs: number, callback: () => void) => {
      deadlines.push(callback)
      return () => undefined
    }
    const database = await openHere('malleus', { clock: { ...systemClock, after } })
    const before = deadlines.length
    const asked = sql`with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000000)
      select count(*) from n`.execute(database.tables<Tables>())
    await vi.waitUntil(() => deadlines.length > before, { interval: 1 })
    deadlines.at(-1)?.()
    await expect(asked).rejects.toThrow('did not answer within 10000 ms')
  })

  test('waits for a lock of another process, and then says that it cannot have it', async () => {
    const first = await openHere('malleus')
    const second = await openHere('malleus', { busyTimeoutMs: 50 })
    await sql`begin immediate`.execute(first.tables<Tables>())
    const blocked = second.tables<Tables>().insertInto('session_end').values(row(1)).execute()
    await expect(blocked).rejects.toBeInstanceOf(StorageUnavailable)
    await sql`rollback`.execute(first.tables<Tables>())
    await second.tables<Tables>().insertInto('session_end').values(row(1)).execute()
  })

  test('refuses what is asked after it was closed', async () => {
    const database = await openHere('malleus')
    await database.close()
    await expect(database.tables<Tables>().selectFrom('session_end').selectAll().execute()).rejects.toBeInstanceOf(
      StorageUnavailable,
    )
    await database.close()
  })

  test('records are never changed and never removed', async () => {
    const database = await openHere('audit')
    const table = database.tables<Tables>()
    await sql`insert into record (chain, seq, hash, prev, at, quiet, text) values (1, 0, x'01', x'02', 1, 0, '{}')`.execute(
      table,
    )
    await expect(sql`update record set text = 'x'`.execute(table)).rejects.toThrow('never changed')
    await expect(sql`delete from record`.execute(table)).rejects.toThrow('never removed')
  })
})

describe('a database that cannot be opened stops the start with a sentence', () => {
  test('a folder that cannot be made', async () => {
    const file = path.join(folder, 'a-file')
    await writeFile(file, '')
    const refused = openDatabase(file, 'malleus')
    await expect(refused).rejects.toBeInstanceOf(CannotOpenDatabase)
    await expect(refused).rejects.toThrow(`The console cannot write its database ${file}/malleus.db (EEXIST)`)
  })

  test('a folder that nobody may write, not even root', async () => {
    await expect(openDatabase('/dev/null/malleus', 'malleus')).rejects.toThrow(
      'The console cannot write its database /dev/null/malleus/malleus.db (ENOTDIR). Give the user',
    )
  })

  test('a folder on a network file system', async () => {
    const refused = openDatabase(folder, 'audit', { networkFileSystem: () => Promise.resolve('NFS') })
    await expect(refused).rejects.toThrow('is on a network file system (NFS)')
  })

  test('a file that is no database', async () => {
    await writeFile(
      path.join(folder, 'malleus.db'),
      'not a database, but long enough to be read as a header of one'.repeat(40),
    )
    await expect(openDatabase(folder, 'malleus')).rejects.toThrow(/cannot be opened: .*file is not a database/)
  })

  test('a file of a newer version', async () => {
    const database = await openHere('malleus')
    await sql`insert into migration (name, applied_at) values ('999 later', 1)`.execute(database.tables<Tables>())
    await database.close()
    await expect(openDatabase(folder, 'malleus')).rejects.toThrow('newer version of the console (it knows "999 later")')
  })
})
