import type { Kysely } from 'kysely'
import type { Database } from '../database/database.ts'
import type { IdempotencyStore, KeptKey, KeyOfPerson } from './idempotency-store.ts'

interface IdempotencyTables {
  idempotency_key: {
    person: Uint8Array
    key: string
    request: Uint8Array
    state: KeptKey['state']
    owner: string
    response: string | null
    created_at: number
  }
}

/** Idempotency keys in `malleus.db`. */
export class SqliteIdempotencyStore implements IdempotencyStore {
  readonly #tables: Kysely<IdempotencyTables>

  constructor(database: Database) {
    this.#tables = database.tables<IdempotencyTables>()
  }

  async take(key: KeyOfPerson, request: Uint8Array, owner: string, now: number): Promise<KeptKey | 'taken'> {
    const inserted = await this.#tables
      .insertInto('idempotency_key')
      .values({ ...key, request, state: 'running', owner, response: null, created_at: now })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirstOrThrow()
    if (inserted.numInsertedOrUpdatedRows === 1n) return 'taken'
    const kept = await this.#tables
      .selectFrom('idempotency_key')
      .select(['request', 'state', 'owner', 'response'])
      .where('person', '=', key.person)
      .where('key', '=', key.key)
      .executeTakeFirst()
    // It was released between the two questions.
    return kept ?? this.take(key, request, owner, now)
  }

  async finish(key: KeyOfPerson, owner: string, response: string): Promise<void> {
    await this.#update(key, owner, { state: 'done', response })
  }

  async leaveUnknown(key: KeyOfPerson, owner: string): Promise<void> {
    await this.#update(key, owner, { state: 'unknown' })
  }

  async release({ person, key }: KeyOfPerson, owner: string): Promise<void> {
    await this.#tables
      .deleteFrom('idempotency_key')
      .where('person', '=', person)
      .where('key', '=', key)
      .where('owner', '=', owner)
      .execute()
  }

  async leaveUnknownOfOthers(owner: string): Promise<void> {
    await this.#tables
      .updateTable('idempotency_key')
      .set({ state: 'unknown' })
      .where('state', '=', 'running')
      .where('owner', '!=', owner)
      .execute()
  }

  async forget(before: number): Promise<void> {
    await this.#tables.deleteFrom('idempotency_key').where('created_at', '<', before).execute()
  }

  async #update(
    { person, key }: KeyOfPerson,
    owner: string,
    set: { state: KeptKey['state']; response?: string },
  ): Promise<void> {
    await this.#tables
      .updateTable('idempotency_key')
      .set(set)
      .where('person', '=', person)
      .where('key', '=', key)
      .where('owner', '=', owner)
      .execute()
  }
}
