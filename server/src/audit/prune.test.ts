import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { openDatabase } from '../database/database.ts'
import type { Database } from '../database/database.ts'
import { silentLogger } from '../lib/logger.ts'
import { systemRandom } from '../lib/random.ts'
import { SqliteAttestationStore } from './attestation-store.sqlite.ts'
import { parseAttestation } from './attestation.ts'
import { openAuditLog } from './audit-log.ts'
import { SqliteAuditStore } from './audit-store.sqlite.ts'
import { Checkpoints } from './checkpoints.ts'
import { pruneHistory, WillNotPrune } from './prune.ts'
import { auditEntry } from './record.ts'
import { Retention } from './retention.ts'
import { verifyHistory } from './verify-history.ts'

const signing = generateKeyPairSync('ed25519').privateKey
const day = 24 * 3_600_000
let folder: string
let database: Database

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'malleus-prune-'))
  database = await openDatabase(folder, 'audit')
})

afterEach(async () => {
  await database.close()
  await rm(folder, { recursive: true, force: true })
})

const own = auditEntry({ action: 'member.evacuate', cluster: 'prod-eu' })
const theirs = auditEntry({ source: 'incus', action: 'instance-started', cluster: 'prod-eu', object: 'db-01' })

/** Ten days with a start each, and two records of each source a day. */
async function world() {
  const clock = new ManualClock()
  const records = new SqliteAuditStore(database)
  const attestations = new SqliteAttestationStore(database)
  const begin = () => openAuditLog({ store: records, clock, random: systemRandom, logger: silentLogger })
  let log = await begin()
  for (let start = 0; start < 10; start += 1) {
    if (start > 0) log = await begin()
    const checkpoints = new Checkpoints({ store: attestations, signing, history: log, clock, logger: silentLogger })
    for (const entry of [own, theirs, own, theirs]) await log.intent(entry)
    if (start < 9) await log.close()
    await checkpoints.stop()
    clock.stepWall(day)
  }
  const prune = (before: number, source: 'console' | 'incus' | null) =>
    pruneHistory({ records, attestations, signing, clock, before, source })
  const verify = () => verifyHistory({ records, attestations, key: signing, head: log.head })
  const left = async () => (await records.after(0, 1000)).length
  return { clock, records, attestations, log, prune, verify, left, beginning: clock.now() - 10 * day }
}

describe('pruning', () => {
  test('removes what is older and leaves a history that holds, with the end of each chain', async () => {
    const { prune, verify, left, beginning } = await world()
    expect(await left()).toBe(59)
    expect((await prune(beginning + 5 * day, null)).count).toBe(25)
    expect(await left()).toBe(34)
    expect((await verify()).breach).toBeNull()
  })

  test('of one source takes its records from among the others', async () => {
    const { prune, verify, attestations, beginning, log } = await world()
    expect((await prune(beginning + 5 * day, 'incus')).count).toBe(10)
    const said = parseAttestation((await attestations.last())!.text)
    expect(said).toMatchObject({ kind: 'tombstone', source: 'incus', count: 10, runs: expect.any(Array) })
    expect((await verify()).breach).toBeNull()
    expect((await prune(beginning + 7 * day, 'console')).count).toBe(21)
    await log.intent(own)
    expect((await verify()).breach).toBeNull()
  })

  test('a second time finds nothing to remove', async () => {
    const { prune, beginning } = await world()
    await prune(beginning + 5 * day, null)
    expect((await prune(beginning + 5 * day, null)).count).toBe(0)
  })

  test('leaves records safe from being removed in any other way', async () => {
    const { prune, beginning } = await world()
    await prune(beginning + 5 * day, null)
    await expect(sql`delete from record`.execute(database.tables<object>())).rejects.toThrow('never removed')
  })

  test('does not hide what somebody changed before', async () => {
    const { prune, left, beginning } = await world()
    await sql`drop trigger record_is_not_changed`.execute(database.tables<object>())
    await sql`update record set object = 'other' where position = 3`.execute(database.tables<object>())
    await expect(prune(beginning + 5 * day, null)).rejects.toBeInstanceOf(WillNotPrune)
    expect(await left()).toBe(59)
  })

  test('explains what is gone, and nothing more: one record beyond is found missing', async () => {
    const { prune, verify, beginning, records } = await world()
    await prune(beginning + 5 * day, 'incus')
    const victim = (await records.after(0, 10))[1]!
    await sql`drop trigger record_is_not_removed`.execute(database.tables<object>())
    await sql`delete from record where position = ${victim.position}`.execute(database.tables<object>())
    expect((await verify()).breach).toMatchObject({ what: 'dropped', chain: victim.chain, seq: victim.seq })
  })
})

describe('retention', () => {
  test('prunes by source and age at the start and every hour, and records it', async () => {
    const { clock, records, attestations, log, verify, left } = await world()
    const retention = new Retention({
      records,
      attestations,
      signing,
      history: log,
      days: { console: null, incus: 5 },
      clock,
      logger: silentLogger,
    })
    const pruned = new Promise<string>((resolve) =>
      log.subscribe(({ action, object }) => action === 'audit.prune' && resolve(object ?? '')),
    )
    const turn = setInterval(() => void clock.pass(50), 1)
    retention.start()
    expect(Date.parse(await pruned)).toBeLessThan(clock.now() - 5 * day + 1)
    clearInterval(turn)
    await retention.stop()
    expect(await left()).toBe(59 - 10 + 1)
    expect((await verify()).breach).toBeNull()
  })

  test('that keeps everything for ever looks at nothing', async () => {
    const { clock, records, attestations, log, left } = await world()
    const days = { console: null, incus: null }
    const retention = new Retention({ records, attestations, signing, history: log, days, clock, logger: silentLogger })
    retention.start()
    await clock.pass(1000)
    await retention.stop()
    expect(await left()).toBe(59)
  })
})
