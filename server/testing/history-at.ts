// The access history as measurements use it: written, read and checked by the console's own code, in a folder of theirs.

import { generateKeyPairSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { SqliteAttestationStore } from '../src/audit/attestation-store.sqlite.ts'
import type { AuditLog } from '../src/audit/audit-log.ts'
import { openAuditLog } from '../src/audit/audit-log.ts'
import { SqliteAuditStore } from '../src/audit/audit-store.sqlite.ts'
import { Checkpoints } from '../src/audit/checkpoints.ts'
import { ExportWriter } from '../src/audit/export-writer.ts'
import { auditEntry, incusActor, requestOf, throughMember } from '../src/audit/record.ts'
import type { AuditEntry } from '../src/audit/record.ts'
import { verifyHistory } from '../src/audit/verify-history.ts'
import { openDatabase } from '../src/database/database.ts'
import type { Database } from '../src/database/database.ts'
import { systemClock } from '../src/lib/clock.ts'
import { silentLogger } from '../src/lib/logger.ts'
import { systemRandom } from '../src/lib/random.ts'

export interface HistoryAt {
  readonly log: AuditLog
  /** Inserts as many rows of this length and does nothing else, in transactions of 500 like the history's. */
  insertRaw(count: number, length: number): Promise<void>
  /** Adds records as fast as they are taken, made one by one; resolves when all are durable. */
  fill(count: number, entryOf: (index: number) => AuditEntry): Promise<void>
  /** Throws when the history is not what was written; gives the number of records. */
  verify(): Promise<number>
  /** Gives every byte of an export to `take`, and the number of records. */
  export(format: 'ndjson' | 'csv', take: (bytes: Buffer) => Promise<unknown>): Promise<number>
  close(): Promise<void>
}

const PAGE = 5000
const BATCH = 500
const FILL = 10_000

export async function openHistoryAt(folder: string): Promise<HistoryAt> {
  const tools = { clock: systemClock, random: systemRandom, logger: silentLogger }
  const signing: KeyObject = generateKeyPairSync('ed25519').privateKey
  const database = await openDatabase(folder, 'audit', { deadlineMs: 120_000 })
  const records = new SqliteAuditStore(database)
  const attestations = new SqliteAttestationStore(database)
  const log = await openAuditLog({ store: records, ...tools, mostWaiting: 100_000 })
  const checkpoints = new Checkpoints({ store: attestations, signing, history: log, ...tools })
  checkpoints.start()
  return {
    log,
    insertRaw: (count, length) => insertRaw(database, count, length),
    fill: async (count, entryOf) => {
      for (let done = 0; done < count; done += FILL) {
        const many = Math.min(FILL, count - done)
        await Promise.all(Array.from({ length: many }, (_, index) => log.intent(entryOf(done + index))))
      }
    },
    verify: async () => {
      await checkpoints.sign()
      const { breach, records: count } = await verifyHistory({ records, attestations, key: signing, page: PAGE })
      if (breach !== null) throw new Error(breach.message)
      return count
    },
    export: async (format, take) => {
      const writer = new ExportWriter({ format, by: 'measurement', filter: '' })
      await take(writer.begin())
      let next = records.after(0, PAGE)
      for (let lines = await next; lines.length > 0; lines = await next) {
        next = records.after(lines.at(-1)?.position ?? 0, PAGE)
        await take(writer.chunk(lines))
      }
      return writer.records
    },
    close: async () => {
      await log.close()
      await checkpoints.stop()
      await database.close()
    },
  }
}

interface RawTables {
  raw: { at: number; text: string }
}

async function insertRaw(database: Database, count: number, length: number): Promise<void> {
  const tables = database.tables<RawTables>()
  await tables.schema.createTable('raw').ifNotExists().addColumn('at', 'integer').addColumn('text', 'text').execute()
  const insert = tables.insertInto('raw').values({ at: 0, text: '' }).compile()
  for (let done = 0; done < count; done += BATCH) {
    await database.atomically(
      Array.from({ length: BATCH }, (_, index) => ({ ...insert, parameters: [done + index, 'x'.repeat(length)] })),
    )
  }
  await tables.schema.dropTable('raw').execute()
}

/** A read that somebody made with the command line, as the request log tells it. */
export function requestLogEntry(index: number): AuditEntry {
  const name = `vm-${index % 5000}`
  return auditEntry({
    source: 'incus',
    action: 'request.read',
    cluster: 'prod-eu',
    actor: incusActor(`person${index % 50}@example.net`, 'oidc'),
    src: { ip: `10.20.${index % 4}.${index % 250}`, via: null },
    req: requestOf({ id: '', method: 'GET', route: '/1.0/instances/{name}', path: `/1.0/instances/${name}` }),
    object: name,
    up: throughMember(`server${1 + (index % 5)}`, null),
    decision: { allow: true, rule: 'handled' },
  })
}
