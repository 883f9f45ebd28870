import { sql } from 'kysely'
import type { CompiledQuery, Kysely, RawBuilder, Selectable } from 'kysely'
import type { Database } from '../database/database.ts'
import type { StatementResult } from '../database/statement.ts'
import type {
  Begun,
  EndKind,
  NewSessionRow,
  Pruned,
  PruneTimes,
  SessionRow,
  SessionStore,
  WhoseSessions,
} from './session-store.ts'

interface SessionTables {
  session: {
    key: Uint8Array
    identity: Uint8Array
    provider_session: Uint8Array | null
    sealed: Uint8Array
    version: number
    refresh_started_at: number | null
    created_at: number
    active_at: number
    expires_at: number
  }
  session_end: { key: Uint8Array; kind: EndKind; at: number }
  used_token: { key: Uint8Array; expires_at: number }
}

/** Sessions in `malleus.db`. */
export class SqliteSessionStore implements SessionStore {
  readonly #database: Database
  readonly #tables: Kysely<SessionTables>

  constructor(database: Database) {
    this.#database = database
    this.#tables = database.tables<SessionTables>()
  }

  async find(key: Uint8Array): Promise<SessionRow | undefined> {
    const row = await this.#tables.selectFrom('session').selectAll().where('key', '=', key).executeTakeFirst()
    return row && rowOf(row)
  }

  async endOf(key: Uint8Array): Promise<EndKind | undefined> {
    const end = await this.#tables.selectFrom('session_end').select('kind').where('key', '=', key).executeTakeFirst()
    return end?.kind
  }

  async begin(row: NewSessionRow, replaces: Uint8Array | null, most: number): Promise<Begun> {
    const now = row.createdAt
    const tooMany = sql`key in (
      select key from session where identity = ${row.identity} order by created_at desc, key limit -1 offset ${most}
    )`
    const insert = this.#tables.insertInto('session').values({
      key: row.key,
      identity: row.identity,
      provider_session: row.providerSession,
      sealed: row.sealed,
      version: 1,
      refresh_started_at: null,
      created_at: now,
      active_at: now,
      expires_at: row.expiresAt,
    })
    const results = await this.#database.atomically([
      ...(replaces === null ? [] : this.#ending(sql`key = ${replaces}`, 'renewed', now)),
      insert,
      ...this.#ending(tooMany, 'replaced', now),
    ])
    return { renewed: replaces === null ? [] : keysOf(results[1]), replaced: keysOf(results.at(-1)) }
  }

  async touch(key: Uint8Array, now: number): Promise<boolean> {
    const touched = await this.#tables
      .updateTable('session')
      .set({ active_at: now })
      .where('key', '=', key)
      .executeTakeFirst()
    return touched.numUpdatedRows > 0n
  }

  async lockRefresh(key: Uint8Array, now: number): Promise<SessionRow | undefined> {
    const row = await this.#tables
      .updateTable('session')
      .set({ refresh_started_at: now })
      .where('key', '=', key)
      .where('refresh_started_at', 'is', null)
      .returningAll()
      .executeTakeFirst()
    return row && rowOf(row)
  }

  async commitRefresh(key: Uint8Array, sealed: Uint8Array, version: number): Promise<boolean> {
    const committed = await this.#tables
      .updateTable('session')
      .set({ sealed, version, refresh_started_at: null })
      .where('key', '=', key)
      .executeTakeFirst()
    return committed.numUpdatedRows > 0n
  }

  async unlockRefresh(key: Uint8Array): Promise<void> {
    await this.#tables.updateTable('session').set({ refresh_started_at: null }).where('key', '=', key).execute()
  }

  async end(key: Uint8Array, kind: EndKind, now: number): Promise<boolean> {
    const [, ended] = await this.#database.atomically(this.#ending(sql`key = ${key}`, kind, now))
    return keysOf(ended).length > 0
  }

  async endAll(whose: WhoseSessions, kind: EndKind, now: number): Promise<readonly Uint8Array[]> {
    const [, ended] = await this.#database.atomically(this.#ending(conditionOf(whose), kind, now))
    return keysOf(ended)
  }

  async prune({ now, idleSince, forgetBefore }: PruneTimes): Promise<Pruned> {
    const [, expired, , idle, , , open] = await this.#database.atomically([
      ...this.#ending(sql`expires_at <= ${now}`, 'expired', now),
      ...this.#ending(sql`active_at <= ${idleSince}`, 'idle', now),
      this.#tables.deleteFrom('session_end').where('at', '<', forgetBefore),
      this.#tables.deleteFrom('used_token').where('expires_at', '<', now),
      this.#tables.selectFrom('session').select(({ fn }) => fn.countAll<number>().as('open')),
    ])
    return { expired: keysOf(expired), idle: keysOf(idle), open: Number(open?.rows[0]?.['open'] ?? 0) }
  }

  async useOnce(key: Uint8Array, until: number): Promise<boolean> {
    const inserted = await this.#tables
      .insertInto('used_token')
      .values({ key, expires_at: until })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirstOrThrow()
    return inserted.numInsertedOrUpdatedRows === 1n
  }

  async wasUsed(key: Uint8Array): Promise<boolean> {
    const used = await this.#tables.selectFrom('used_token').select('key').where('key', '=', key).executeTakeFirst()
    return used !== undefined
  }

  /** Remembers why, then deletes: the tokens in it are unreadable from then on. */
  #ending(which: RawBuilder<unknown>, kind: EndKind, now: number): readonly [CompiledQuery, CompiledQuery] {
    return [
      sql`insert into session_end (key, kind, at) select key, ${kind}, ${now} from session where ${which}
        on conflict (key) do nothing`.compile(this.#tables),
      sql`delete from session where ${which} returning key`.compile(this.#tables),
    ]
  }
}

function conditionOf(whose: WhoseSessions): RawBuilder<unknown> {
  if (whose.providerSession === null) return sql`identity = ${whose.identity}`
  // A session whose provider did not say which of its own it belongs to ends with any of the person's.
  const unnamed = whose.identity === null ? sql`false` : sql`provider_session is null and identity = ${whose.identity}`
  return sql`(provider_session = ${whose.providerSession} or (${unnamed}))`
}

function keysOf(result: StatementResult | undefined): readonly Uint8Array[] {
  return (result?.rows ?? []).flatMap(({ key }) => (key instanceof Uint8Array ? [key] : []))
}

function rowOf(row: Selectable<SessionTables['session']>): SessionRow {
  const { key, identity, sealed, version } = row
  return {
    key,
    identity,
    sealed,
    version,
    providerSession: row.provider_session,
    refreshStartedAt: row.refresh_started_at,
    createdAt: row.created_at,
    activeAt: row.active_at,
    expiresAt: row.expires_at,
  }
}
