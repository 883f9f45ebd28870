import type { AuditRecord } from '@malleus/shared/api/audit.ts'
import { CompiledQuery, sql } from 'kysely'
import type { Generated, Kysely } from 'kysely'
import type { Database } from '../database/database.ts'
import type { AuditStore, ChainHead, StoredLine } from './audit-store.ts'
import { packText, unpackText } from './packed-text.ts'
import { isQuiet, textOf } from './record.ts'

interface AuditTables {
  chain: { id: Generated<number>; name: string }
  record: {
    position: Generated<number>
    chain: number
    seq: number
    hash: Uint8Array
    prev: Uint8Array
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
    const chains = [...new Set(records.map(({ chain }) => chain))]
    await this.#database.atomically([
      ...chains.map((chain) => CompiledQuery.raw('insert or ignore into chain (name) values (?)', [chain])),
      ...records.map((record) => CompiledQuery.raw(insertRecord, valuesOf(record))),
    ])
  }

  async head(chain?: string): Promise<ChainHead | null> {
    const heads = this.#lines().orderBy('record.position', 'desc').limit(1)
    const row = await (chain === undefined ? heads : heads.where('chain.name', '=', chain)).executeTakeFirst()
    return row === undefined ? null : { chain: row.chain, seq: row.seq, hash: row.hash }
  }

  async after(position: number, limit: number): Promise<readonly StoredLine[]> {
    const lines = this.#lines().where('record.position', '>', position).orderBy('record.position').limit(limit)
    return (await lines.execute()).map(lineOf)
  }

  async before(position: number, limit: number): Promise<readonly StoredLine[]> {
    const lines = this.#lines().where('record.position', '<', position).orderBy('record.position', 'desc').limit(limit)
    return (await lines.execute()).map(lineOf)
  }

  async at(positions: readonly number[]): Promise<readonly StoredLine[]> {
    if (positions.length === 0) return []
    return (await this.#lines().where('record.position', 'in', positions).execute()).map(lineOf)
  }

  async find(chain: string, seq: number): Promise<StoredLine | undefined> {
    const row = await this.#lines().where('chain.name', '=', chain).where('record.seq', '=', seq).executeTakeFirst()
    return row && lineOf(row)
  }

  async ofChain(chain: string, from: number, to: number): Promise<readonly StoredLine[]> {
    const lines = this.#lines()
      .where('chain.name', '=', chain)
      .where('record.seq', '>=', from)
      .where('record.seq', '<=', to)
      .orderBy('record.position')
    return (await lines.execute()).map(lineOf)
  }

  #lines() {
    return this.#tables
      .selectFrom('record')
      .leftJoin('chain', 'chain.id', 'record.chain')
      .select([
        'record.position',
        sql<string>`coalesce(chain.name, record.chain)`.as('chain'),
        'record.seq',
        sql<string>`lower(hex(record.hash))`.as('hash'),
        sql<string>`lower(hex(record.prev))`.as('prev'),
        'record.at',
        'record.cluster',
        'record.object',
        'record.quiet',
        'record.text',
      ])
  }
}

interface Row extends Omit<StoredLine, 'quiet'> {
  readonly quiet: number
}

function lineOf(row: Row): StoredLine {
  return { ...row, quiet: row.quiet !== 0, text: unpackText(row.text, row) }
}

// Written out, because building the same query for each record costs more than the record itself.
const insertRecord = `insert into record (chain, seq, hash, prev, at, cluster, object, quiet, text)
  values ((select id from chain where name = ?), ?, unhex(?), unhex(?), ?, ?, ?, ?, ?)`

function valuesOf(record: AuditRecord): unknown[] {
  const { chain, seq, hash, prev, ts, cluster, object } = record
  const at = Date.parse(ts)
  const text = packText(textOf(record), { chain, hash, prev, at })
  return [chain, seq, hash, prev, at, cluster, object, isQuiet(record) ? 1 : 0, text]
}
