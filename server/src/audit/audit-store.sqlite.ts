import type { AuditRecord } from '@malleus/shared/api/audit.ts'
import { CompiledQuery } from 'kysely'
import type { Generated, Kysely, Selectable } from 'kysely'
import type { Database } from '../database/database.ts'
import type { AuditFilter, AuditStore, ChainHead, StoredLine } from './audit-store.ts'
import { isQuiet, parseRecord, textOf } from './record.ts'

interface AuditTables {
  record: {
    position: Generated<number>
    chain: string
    seq: number
    hash: string
    prev: string
    at: number
    cluster: string | null
    object: string | null
    quiet: number
    text: string
  }
}

/** The access history in `audit.db`. */
export class SqliteAuditStore implements AuditStore {
  readonly #database: Database
  readonly #tables: Kysely<AuditTables>

  constructor(database: Database) {
    this.#database = database
    this.#tables = database.tables<AuditTables>()
  }

  async append(records: readonly AuditRecord[]): Promise<void> {
    await this.#database.atomically(records.map((record) => CompiledQuery.raw(insertRecord, valuesOf(record))))
  }

  async head(chain?: string): Promise<ChainHead | null> {
    const heads = this.#tables
      .selectFrom('record')
      .select(['chain', 'seq', 'hash'])
      .orderBy('position', 'desc')
      .limit(1)
    const head = await (chain === undefined ? heads : heads.where('chain', '=', chain)).executeTakeFirst()
    return head ?? null
  }

  async latest({ clusters, withoutCluster, reads, object, limit }: AuditFilter): Promise<readonly AuditRecord[]> {
    let question = this.#tables
      .selectFrom('record')
      .select('text')
      .where((is) =>
        is.or([
          ...(clusters.length > 0 ? [is('cluster', 'in', clusters)] : []),
          ...(withoutCluster ? [is('cluster', 'is', null)] : []),
        ]),
      )
      .orderBy('position', 'desc')
      .limit(limit)
    if (!reads) question = question.where('quiet', '=', 0)
    if (object !== undefined) question = question.where('object', '=', object)
    const rows = await question.execute()
    // A line that is no record any more was tampered with: the verification names it, the list goes on without it.
    return rows.map(({ text }) => parseRecord(text)).filter((record) => record !== undefined)
  }

  async after(position: number, limit: number): Promise<readonly StoredLine[]> {
    const rows = await this.#tables
      .selectFrom('record')
      .selectAll()
      .where('position', '>', position)
      .orderBy('position')
      .limit(limit)
      .execute()
    return rows.map(lineOf)
  }

  async before(position: number, limit: number): Promise<readonly StoredLine[]> {
    const rows = await this.#tables
      .selectFrom('record')
      .selectAll()
      .where('position', '<', position)
      .orderBy('position', 'desc')
      .limit(limit)
      .execute()
    return rows.map(lineOf)
  }

  async at(positions: readonly number[]): Promise<readonly StoredLine[]> {
    if (positions.length === 0) return []
    const rows = await this.#tables.selectFrom('record').selectAll().where('position', 'in', positions).execute()
    return rows.map(lineOf)
  }

  async find(chain: string, seq: number): Promise<StoredLine | undefined> {
    const row = await this.#tables
      .selectFrom('record')
      .selectAll()
      .where('chain', '=', chain)
      .where('seq', '=', seq)
      .executeTakeFirst()
    return row && lineOf(row)
  }

  async ofChain(chain: string, from: number, to: number): Promise<readonly StoredLine[]> {
    const rows = await this.#tables
      .selectFrom('record')
      .selectAll()
      .where('chain', '=', chain)
      .where('seq', '>=', from)
      .where('seq', '<=', to)
      .orderBy('position')
      .execute()
    return rows.map(lineOf)
  }
}

function lineOf(row: Selectable<AuditTables['record']>): StoredLine {
  return { ...row, quiet: row.quiet !== 0 }
}

// Written out, because building the same query for each record costs more than the record itself.
const insertRecord = `insert into record (chain, seq, hash, prev, at, cluster, object, quiet, text)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?)`

function valuesOf(record: AuditRecord): unknown[] {
  const { chain, seq, hash, prev, ts, cluster, object } = record
  return [chain, seq, hash, prev, Date.parse(ts), cluster, object, isQuiet(record) ? 1 : 0, textOf(record)]
}
