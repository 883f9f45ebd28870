import { open } from 'node:fs/promises'
import path from 'node:path'
import { Kysely } from 'kysely'
import type { Compilable, CompiledQuery } from 'kysely'
import type { Clock } from '../lib/clock.ts'
import { systemClock } from '../lib/clock.ts'
import { makeFolder } from '../lib/make-folder.ts'
import { CannotOpenDatabase } from './database-error.ts'
import { migrations } from './migrations.ts'
import type { DatabaseName, Migration } from './migrations.ts'
import { networkFileSystemOf } from './network-file-system.ts'
import { SqliteConnection } from './sqlite-connection.ts'
import { sqliteDialect } from './sqlite-dialect.ts'
import type { StatementResult } from './statement.ts'

/** An open database with its tables as the migrations made them. All of its work happens in a thread of its own. */
export interface Database {
  /** Questions and single changes, each atomic by itself, typed by the tables a room knows: `tables<MyTables>()`. */
  tables<Tables extends object>(): Kysely<Tables>
  /** Carries out all of the queries or none, in order, with nothing in between. Durable when it resolves. */
  atomically(queries: readonly (Compilable | CompiledQuery)[]): Promise<readonly StatementResult[]>
  close(): Promise<void>
}

export interface DatabaseOptions {
  readonly clock?: Clock
  /** How long a statement waits for another process that holds the lock. Default 5 s. */
  readonly busyTimeoutMs?: number
  /** How long the caller waits for a statement, whatever the disk does. Default 10 s. */
  readonly deadlineMs?: number
  /** Hears how long each answer took, in milliseconds, and whether it was a failure; for metrics. */
  readonly onAnswered?: (tookMs: number, failed: boolean) => void
  /** Tells which file system a folder is on, when it is one of a network. */
  readonly networkFileSystem?: (folder: string) => Promise<string | undefined>
}

/**
 * Opens `<folder>/<name>.db`, making both where they are missing, and brings its tables up to date. `:memory:` as the
 * folder gives an empty database that ends with its connection, for tests.
 *
 * SQLite runs with a write-ahead log and FULL synchronisation, both read back, so what has resolved survives a loss of
 * power. Statements fail with `StorageUnavailable` while the disk cannot take them, and work again when it can.
 *
 * @throws CannotOpenDatabase with a sentence for the person who starts the console: the folder cannot be written, is
 *   on a network file system, or was written by a newer version.
 */
export async function openDatabase(
  folder: string,
  name: DatabaseName,
  options: DatabaseOptions = {},
): Promise<Database> {
  const {
    clock = systemClock,
    busyTimeoutMs = 5000,
    deadlineMs = 10_000,
    networkFileSystem = networkFileSystemOf,
  } = options
  const file = folder === ':memory:' ? folder : await prepareFile(path.resolve(folder), name, networkFileSystem)
  const { onAnswered = () => {} } = options
  const connection = new SqliteConnection({ file, busyTimeoutMs, deadlineMs, mostWaiting: 20_000, clock, onAnswered })
  try {
    await migrate(connection, migrations[name], clock)
  } catch (error) {
    await connection.close().catch(() => undefined)
    if (error instanceof CannotOpenDatabase) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new CannotOpenDatabase(`The database ${file} cannot be opened: ${reason}.`, { cause: error })
  }
  return new SqliteDatabase(connection)
}

class SqliteDatabase implements Database {
  readonly #connection: SqliteConnection
  readonly #kysely: Kysely<never>

  constructor(connection: SqliteConnection) {
    this.#connection = connection
    this.#kysely = new Kysely<never>({ dialect: sqliteDialect(connection) })
  }

  tables<Tables extends object>(): Kysely<Tables> {
    // Kysely keeps nothing of its type parameter at run time; each room names the tables of its own migrations.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return this.#kysely as unknown as Kysely<Tables>
  }

  atomically(queries: readonly (Compilable | CompiledQuery)[]): Promise<readonly StatementResult[]> {
    const statements = queries.map((query) => ('compile' in query ? query.compile() : query))
    return this.#connection.run(
      statements.map(({ sql, parameters }) => ({ sql, parameters })),
      true,
    )
  }

  close(): Promise<void> {
    return this.#connection.close()
  }
}

/** Makes the folder (0700) and the file (0600; SQLite gives the log beside it the same mode) and writes to them once. */
async function prepareFile(
  folder: string,
  name: DatabaseName,
  networkFileSystem: (folder: string) => Promise<string | undefined>,
): Promise<string> {
  const file = path.join(folder, `${name}.db`)
  try {
    await makeFolder(folder)
    const handle = await open(file, 'a', 0o600)
    await handle.close()
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new CannotOpenDatabase(
      `The console cannot write its database ${file} (${reason}). ` +
        'Give the user who runs it the right to write there, or name another folder under "storage".',
      { cause: error },
    )
  }
  const network = await networkFileSystem(folder)
  if (network !== undefined) {
    throw new CannotOpenDatabase(
      `The folder ${folder} is on a network file system (${network}), where SQLite cannot keep its promises. ` +
        'Name a folder on a local disk under "storage".',
    )
  }
  return file
}

async function migrate(connection: SqliteConnection, wanted: readonly Migration[], clock: Clock): Promise<void> {
  const [, listed] = await connection.run(
    [
      statement('create table if not exists migration (name text primary key, applied_at integer not null) strict'),
      statement('select name from migration order by name'),
    ],
    true,
  )
  const applied = new Set((listed?.rows ?? []).map((row) => row['name']))
  const known = new Set<unknown>(wanted.map((migration) => migration.name))
  const strange = [...applied].find((name) => !known.has(name))
  if (strange !== undefined) {
    throw new CannotOpenDatabase(
      `The database has been used by a newer version of the console (it knows "${String(strange)}"). Start that version, or restore a copy from before.`,
    )
  }
  for (const migration of wanted.filter(({ name }) => !applied.has(name))) {
    await connection.run(
      [
        ...migration.statements.map((sql) => statement(sql)),
        statement('insert into migration (name, applied_at) values (?, ?)', migration.name, clock.now()),
      ],
      true,
    )
  }
}

function statement(sql: string, ...parameters: readonly unknown[]): { sql: string; parameters: readonly unknown[] } {
  return { sql, parameters }
}
