import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { MemoryAuditStore } from '../../testing/memory-audit-store.ts'
import { openDatabase } from '../database/database.ts'
import { migrations } from '../database/migrations.ts'
import { silentLogger } from '../lib/logger.ts'
import { systemRandom } from '../lib/random.ts'
import { openAuditLog } from './audit-log.ts'
import { SqliteAuditStore } from './audit-store.sqlite.ts'
import { auditEntry } from './record.ts'
import { nothingVerified, verifyEnd, verifyHead, verifyLines } from './verify.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'malleus-compact-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe('a history from before its records were packed', () => {
  test('is the same afterwards, in the same places, and goes on', async () => {
    const tools = { clock: new ManualClock(), random: systemRandom, logger: silentLogger }
    const written = new MemoryAuditStore()
    for (let start = 0; start < 2; start += 1) {
      const log = await openAuditLog({ store: written, ...tools })
      await log.intent(auditEntry({ action: 'member.evacuate', cluster: 'prod-eu', object: 'server3' }))
      await log.close()
    }
    writeAsBefore(written)

    const database = await openDatabase(folder, 'audit')
    const store = new SqliteAuditStore(database)
    expect(await store.after(0, 100)).toEqual(written.lines)
    const log = await openAuditLog({ store, ...tools })
    await log.intent(auditEntry({ action: 'member.restore', cluster: 'prod-eu', object: 'server3' }))
    const lines = await store.after(0, 100)
    expect(lines.map(({ position }) => position)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(verifyEnd(verifyHead(verifyLines(nothingVerified, lines), log.head)).breach).toBeNull()
    await database.close()
  })
})

/** As the migrations before this one left it. */
function writeAsBefore({ lines }: MemoryAuditStore): void {
  const database = new DatabaseSync(path.join(folder, 'audit.db'))
  database.exec('create table migration (name text primary key, applied_at integer not null) strict')
  const before = migrations.audit.slice(
    0,
    migrations.audit.findIndex(({ name }) => name.endsWith('compact records')),
  )
  for (const { name, statements } of before) {
    for (const statement of statements) database.exec(statement)
    database.prepare('insert into migration values (?, 0)').run(name)
  }
  const insert = database.prepare(
    'insert into record (chain, seq, hash, prev, at, cluster, object, quiet, text) values (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  )
  for (const { chain, seq, hash, prev, at, cluster, object, quiet, text } of lines) {
    insert.run(chain, seq, hash, prev, at, cluster, object, quiet ? 1 : 0, text)
  }
  database.close()
}
