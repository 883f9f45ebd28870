import type { Kysely } from 'kysely'
import type { Database } from '../database/database.ts'
import type { ListedRow, SessionListStore } from './session-list-store.ts'

interface ListTables {
  session: { key: Uint8Array; identity: Uint8Array; created_at: number; active_at: number; expires_at: number }
  session_note: { key: Uint8Array; sealed: Uint8Array }
}

/** In `malleus.db`. */
export class SqliteSessionListStore implements SessionListStore {
  readonly #database: Database
  readonly #tables: Kysely<ListTables>

  constructor(database: Database) {
    this.#database = database
    this.#tables = database.tables<ListTables>()
  }

  async note(key: Uint8Array, sealed: Uint8Array): Promise<void> {
    const tables = this.#tables
    await this.#database.atomically([
      tables.deleteFrom('session_note').where('key', 'not in', tables.selectFrom('session').select('key')),
      tables
        .insertInto('session_note')
        .values({ key, sealed })
        .onConflict((it) => it.column('key').doUpdateSet({ sealed })),
    ])
  }

  list(identity: Uint8Array | null, usedSince: number): Promise<readonly ListedRow[]> {
    const rows = this.#tables
      .selectFrom('session')
      .leftJoin('session_note', 'session_note.key', 'session.key')
      .select([
        'session.key as key',
        'session.created_at as createdAt',
        'session.active_at as activeAt',
        'session.expires_at as expiresAt',
        'session_note.sealed as sealed',
      ])
      .where('session.active_at', '>', usedSince)
      .orderBy('session.created_at', 'desc')
      .limit(1_000)
    return (identity === null ? rows : rows.where('session.identity', '=', identity)).execute()
  }
}
