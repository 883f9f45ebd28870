import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { mkdtemp, rm, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { openDatabase } from '../database/database.ts'
import type { Database } from '../database/database.ts'
import { systemClock } from '../lib/clock.ts'
import { silentLogger } from '../lib/logger.ts'
import { systemRandom } from '../lib/random.ts'
import { AuditUnavailable } from './audit-error.ts'
import { openAuditLog } from './audit-log.ts'
import type { StoredLine } from './audit-store.ts'
import { SqliteAuditStore } from './audit-store.sqlite.ts'
import { actorOf, auditEntry, parseRecord, requestOf } from './record.ts'
import { nothingVerified, verifyHead, verifyLines } from './verify.ts'

let folder: string
const opened: Database[] = []

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'malleus-audit-'))
})

afterEach(async () => {
  await Promise.all(opened.splice(0).map((database) => database.close()))
  await rm(folder, { recursive: true, force: true })
})

async function openHere(where = folder) {
  const database = await openDatabase(where, 'audit')
  opened.push(database)
  const store = new SqliteAuditStore(database)
  const log = await openAuditLog({ store, clock: systemClock, random: systemRandom, logger: silentLogger })
  const holds = async () => verifyHead(verifyLines(nothingVerified, await store.after(0, 100_000)), log.head).breach
  return { database, store, log, holds }
}

const jo = actorOf({ iss: 'i', sub: 'jo', name: 'Jo', roles: [], sessionTag: 's', authTime: null, amr: [] })
const entry = (action: string, cluster: string | null, object: string | null = null) =>
  auditEntry({ action, cluster, object, actor: jo, req: requestOf({ id: 'r', method: 'GET', route: '/', path: '/' }) })

describe('the history in SQLite', () => {
  test('gives back what it was given, in the order of writing and newest first', async () => {
    const { log, store } = await openHere()
    await log.intent(entry('member.evacuate', 'prod-eu', 'server3'))
    log.outcome(entry('member.list', 'prod-us'))
    await log.intent(entry('session.sign-in', null))
    const written = ['chain.begin', 'member.evacuate', 'member.list', 'session.sign-in']
    const actions = (lines: readonly StoredLine[]) => lines.map(({ text }) => parseRecord(text)?.action)
    expect(actions(await store.after(0, 100))).toEqual(written)
    expect(actions(await store.before(Number.MAX_SAFE_INTEGER, 2))).toEqual(written.toReversed().slice(0, 2))
  })

  test('holds from its first record through a restart', async () => {
    const first = await openHere()
    await first.log.intent(entry('member.evacuate', 'prod-eu'))
    await first.log.close()
    await first.database.close()
    const second = await openHere()
    await second.log.intent(entry('member.restore', 'prod-eu'))
    expect(await second.holds()).toBeNull()
    expect(await second.store.after(0, 100)).toHaveLength(5)
  })

  test('what was changed behind its back is found', async () => {
    const { database, log, holds } = await openHere()
    await log.intent(entry('member.evacuate', 'prod-eu', 'server3'))
    await log.intent(entry('member.evacuate', 'prod-eu', 'server4'))
    await sql`drop trigger record_is_not_changed`.execute(database.tables())
    await sql`update record set text = replace(text, 'server3', 'server5') where seq = 1`.execute(database.tables())
    expect((await holds())?.message).toMatch(/^Record 1 of chain .*: the content does not match its hash$/)
  })
})

describe('T-audit-failclosed on a real file', () => {
  test('a database that became read-only refuses what it cannot record, and recovers without a restart', async () => {
    const { database, log, holds } = await openHere()
    await sql`pragma query_only = 1`.execute(database.tables())
    let executed = 0
    for (let tries = 0; tries < 5; tries += 1) {
      await expect(log.intent(entry('member.evacuate', 'prod-eu')).then(() => (executed += 1))).rejects.toBeInstanceOf(
        AuditUnavailable,
      )
    }
    await sql`pragma query_only = 0`.execute(database.tables())
    await log.intent(entry('member.evacuate', 'prod-eu'))
    expect(executed).toBe(0)
    expect(log.isAvailable).toBe(true)
    expect(await holds()).toBeNull()
  })

  test.skipIf(!mayMount())('a full disk (a tmpfs of 1 MiB) refuses, and recovers when there is room', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder])
    try {
      const { database, store, log, holds } = await openHere()
      const ballast = path.join(folder, 'ballast')
      await writeFile(ballast, Buffer.alloc(300_000))
      const executed: number[] = []
      const refused: unknown[] = []
      for (let id = 0; id < 5000 && refused.length < 20; id += 1) {
        const big = entry('member.evacuate', 'prod-eu', `${id} ${'x'.repeat(1000)}`)
        await log.intent(big).then(
          () => executed.push(id),
          (error: unknown) => refused.push(error),
        )
      }
      expect(refused.every((error) => error instanceof AuditUnavailable)).toBe(true)
      expect([refused.length, log.isAvailable]).toEqual([20, false])
      const recorded = async () =>
        new Set((await store.after(0, 100_000)).map(({ object }) => Number.parseInt(object ?? '', 10)))
      const before = await recorded()
      expect(executed.filter((id) => !before.has(id))).toEqual([])
      expect(executed.length).toBeGreaterThan(10)
      await unlink(ballast)
      await log.intent(entry('member.evacuate', 'prod-eu', '9999'))
      expect((await recorded()).has(9999)).toBe(true)
      expect(await holds()).toBeNull()
      await database.close()
    } finally {
      await Promise.all(opened.splice(0).map((database) => database.close()))
      execFileSync('umount', [folder])
    }
  })

  test('a database that is gone refuses at once', async () => {
    const { database, log } = await openHere()
    await database.close()
    await expect(log.intent(entry('member.evacuate', 'prod-eu'))).rejects.toBeInstanceOf(AuditUnavailable)
    await expect(log.intent(entry('member.evacuate', 'prod-eu'))).rejects.toBeInstanceOf(AuditUnavailable)
  })

  test('a database that cannot be written stops the start', async () => {
    const database = await openDatabase(folder, 'audit')
    opened.push(database)
    await sql`pragma query_only = 1`.execute(database.tables())
    const store = new SqliteAuditStore(database)
    const started = openAuditLog({ store, clock: new ManualClock(), random: systemRandom, logger: silentLogger })
    await expect(started).rejects.toThrow('readonly')
  })
})

/** Only root on Linux may mount, and not in every container; elsewhere the other failures stand for it. */
function mayMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  const place = mkdtempSync(path.join(tmpdir(), 'malleus-mount-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', place], { stdio: 'ignore' })
    execFileSync('umount', [place])
    return true
  } catch {
    return false
  } finally {
    rmdirSync(place)
  }
}
