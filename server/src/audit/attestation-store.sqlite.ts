import { CompiledQuery, sql } from 'kysely'
import type { Kysely } from 'kysely'
import { ConstraintViolated } from '../database/database-error.ts'
import type { Database } from '../database/database.ts'
import { recordIsNotRemoved } from '../database/migrations.ts'
import type { AttestationStore, StoredAttestation } from './attestation-store.ts'
import type { ChainHead } from './audit-store.ts'

interface AttestationTables {
  attestation: { number: number; text: string }
}

/** The attestations in `audit.db`. */
export class SqliteAttestationStore implements AttestationStore {
  readonly #database: Database
  readonly #tables: Kysely<AttestationTables>

  constructor(database: Database) {
    this.#database = database
    this.#tables = database.tables<AttestationTables>()
  }

  async append({ number, text }: StoredAttestation): Promise<boolean> {
    try {
      await this.#tables.insertInto('attestation').values({ number, text }).execute()
      return true
    } catch (error) {
      if (error instanceof ConstraintViolated) return false
      throw error
    }
  }

  async bury({ number, text }: StoredAttestation, positions: readonly number[]): Promise<boolean> {
    try {
      await this.#database.atomically([
        this.#tables.insertInto('attestation').values({ number, text }),
        CompiledQuery.raw('drop trigger record_is_not_removed'),
        CompiledQuery.raw('delete from record where position in (select value from json_each(?))', [
          JSON.stringify(positions),
        ]),
        CompiledQuery.raw(recordIsNotRemoved),
      ])
      return true
    } catch (error) {
      if (error instanceof ConstraintViolated) return false
      throw error
    }
  }

  async last(): Promise<StoredAttestation | null> {
    const last = await this.#tables
      .selectFrom('attestation')
      .select(['number', 'text'])
      .orderBy('number', 'desc')
      .limit(1)
      .executeTakeFirst()
    return last ?? null
  }

  after(number: number, limit: number): Promise<readonly StoredAttestation[]> {
    return this.#tables
      .selectFrom('attestation')
      .select(['number', 'text'])
      .where('number', '>', number)
      .orderBy('number')
      .limit(limit)
      .execute()
  }

  /** To the end of each chain through the index, whatever its length. */
  async heads(): Promise<readonly ChainHead[]> {
    const { rows } = await sql<ChainHead>`
      select chain.name as chain, record.seq, lower(hex(record.hash)) as hash from chain join record
        on record.chain = chain.id and record.seq = (select max(own.seq) from record own where own.chain = chain.id)
      order by record.position`.execute(this.#tables)
    return rows
  }
}
