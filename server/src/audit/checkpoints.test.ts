import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { MemoryAttestationStore } from '../../testing/memory-attestation-store.ts'
import { MemoryAuditStore } from '../../testing/memory-audit-store.ts'
import { openDatabase } from '../database/database.ts'
import { silentLogger } from '../lib/logger.ts'
import { systemRandom } from '../lib/random.ts'
import { SqliteAttestationStore } from './attestation-store.sqlite.ts'
import { attest, attestationHash, isSignedBy, noAttestation, parseAttestation } from './attestation.ts'
import { openAuditLog } from './audit-log.ts'
import type { ChainHead } from './audit-store.ts'
import { SqliteAuditStore } from './audit-store.sqlite.ts'
import { Checkpoints, KnownHeads } from './checkpoints.ts'
import { auditEntry } from './record.ts'

const signing = generateKeyPairSync('ed25519').privateKey
const entry = auditEntry({ action: 'member.evacuate', cluster: 'prod-eu', object: 'server3' })

const headOf = ({ chain, seq, hash }: ChainHead) => ({ chain, seq, hash })

async function world() {
  const clock = new ManualClock()
  const records = new MemoryAuditStore()
  const store = new MemoryAttestationStore(records)
  const begin = async () => {
    const log = await openAuditLog({ store: records, clock, random: systemRandom, logger: silentLogger })
    const checkpoints = new Checkpoints({ store, signing, history: log, clock, logger: silentLogger })
    checkpoints.start()
    return { log, checkpoints }
  }
  const said = () => store.lines.map(({ text }) => parseAttestation(text)!)
  return { clock, records, store, begin, said, ...(await begin()) }
}

describe('checkpoints', () => {
  test('name the end of a chain a minute after something was recorded, and nothing while nothing is', async () => {
    const { log, clock, said } = await world()
    await clock.pass(60_000)
    expect(said()).toMatchObject([{ kind: 'checkpoint', number: 1, heads: [headOf(log.head)], chains: 1 }])
    await clock.pass(600_000)
    expect(said()).toHaveLength(1)
    await log.intent(entry)
    await clock.pass(60_000)
    expect(said()[1]).toMatchObject({ number: 2, heads: [{ chain: log.chain, seq: 1 }] })
  })

  test('come after a thousand records, however soon that is', async () => {
    const { log, clock, said } = await world()
    await Promise.all(Array.from({ length: 1000 }, () => log.intent(entry)))
    await clock.pass(0)
    expect(said()).toMatchObject([{ heads: [{ seq: expect.any(Number) }] }])
    expect(clock.monotonic()).toBe(Date.UTC(2026, 0, 1))
  })

  test('name the one before by its hash, and are signed', async () => {
    const { log, clock, store, said } = await world()
    await clock.pass(60_000)
    await log.intent(entry)
    await clock.pass(60_000)
    expect(said().map(({ prev }) => prev)).toEqual([noAttestation, attestationHash(store.lines[0]!.text)])
    const stranger = generateKeyPairSync('ed25519').publicKey
    expect(said().map((one) => [isSignedBy(one, signing), isSignedBy(one, stranger)])).toEqual([
      [true, false],
      [true, false],
    ])
    expect(isSignedBy({ ...said()[0]!, number: 7 }, signing)).toBe(false)
  })

  test('hold all chains under one root, also those that ended long ago', async () => {
    const { log, checkpoints, clock, begin, said } = await world()
    await log.close()
    await checkpoints.stop()
    const second = await begin()
    await clock.pass(60_000)
    const heads = new KnownHeads()
    heads.take([log.head, second.log.head])
    expect(said()[1]).toMatchObject({ chains: 2, heads: [headOf(second.log.head)], root: heads.seal.root })
  })

  test('sign the very end when the console stops', async () => {
    const { log, checkpoints, said } = await world()
    await log.close()
    await checkpoints.stop()
    expect(said().at(-1)).toMatchObject({ heads: [headOf(log.head)] })
  })

  test('say what is left when another process took the number', async () => {
    const { log, clock, store, records, said } = await world()
    const other = await openAuditLog({ store: records, clock, random: systemRandom, logger: silentLogger })
    let asked = 0
    store.beforeAppend = () => {
      asked += 1
      if (asked > 1) return
      const known = new KnownHeads()
      known.take([other.head])
      store.lines.push(
        attest(
          { kind: 'checkpoint', heads: [headOf(other.head)], ...known.seal },
          null,
          new Date(0).toISOString(),
          signing,
        ),
      )
    }
    await clock.pass(60_000)
    expect(said()).toMatchObject([{ heads: [headOf(other.head)] }, { number: 2, heads: [headOf(log.head)], chains: 2 }])
    const both = new KnownHeads()
    both.take([other.head, log.head])
    expect(said()[1]).toMatchObject(both.seal)
  })

  test('are written when the disk takes them again', async () => {
    const { log, clock, store, said } = await world()
    store.beforeAppend = () => {
      throw new Error('no space left on device')
    }
    await clock.pass(60_000)
    store.beforeAppend = () => undefined
    await clock.pass(60_000)
    const known = new KnownHeads()
    known.take([log.head])
    expect(said()).toMatchObject([{ number: 1, heads: [headOf(log.head)], ...known.seal }])
  })

  test('never sign an end that has come nearer: it was cut off', async () => {
    const { log, clock, records, said } = await world()
    await log.intent(entry)
    await clock.pass(60_000)
    records.lines.pop()
    await log.intent(entry)
    records.lines.pop()
    await clock.pass(60_000)
    expect(said()).toHaveLength(1)
  })
})

describe('checkpoints in SQLite', () => {
  test('are kept, cannot be changed or removed, and find the end of each chain', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'malleus-checkpoints-'))
    const database = await openDatabase(folder, 'audit')
    const clock = new ManualClock()
    const store = new SqliteAttestationStore(database)
    const logs = []
    for (let start = 0; start < 3; start += 1) {
      const log = await openAuditLog({
        store: new SqliteAuditStore(database),
        clock,
        random: systemRandom,
        logger: silentLogger,
      })
      await log.intent(entry)
      logs.push(log)
    }
    expect(await store.heads()).toEqual(logs.map(({ head }) => headOf(head)))
    expect(await store.last()).toBeNull()
    expect(await store.append({ number: 1, text: 'one' })).toBe(true)
    expect(await store.append({ number: 1, text: 'other' })).toBe(false)
    await store.append({ number: 2, text: 'two' })
    expect(await store.last()).toEqual({ number: 2, text: 'two' })
    expect(await store.after(1, 10)).toEqual([{ number: 2, text: 'two' }])
    const tables = database.tables<object>()
    await expect(sql`update attestation set text = ''`.execute(tables)).rejects.toThrow('never changed')
    await expect(sql`delete from attestation`.execute(tables)).rejects.toThrow('never removed')
    await database.close()
    await rm(folder, { recursive: true, force: true })
  })
})
