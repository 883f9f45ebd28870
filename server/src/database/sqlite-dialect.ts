import { SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import type { CompiledQuery, DatabaseConnection, Dialect, Driver, QueryResult } from 'kysely'
import type { SqliteConnection } from './sqlite-connection.ts'

/** Kysely over the worker: each query is one message. */
export function sqliteDialect(connection: SqliteConnection): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new SqliteWorkerDriver(connection),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createIntrospector: (kysely) => new SqliteIntrospector(kysely),
  }
}

class SqliteWorkerDriver implements Driver {
  readonly #connection: SqliteWorkerConnection

  constructor(connection: SqliteConnection) {
    this.#connection = new SqliteWorkerConnection(connection)
  }

  async init(): Promise<void> {}

  acquireConnection(): Promise<DatabaseConnection> {
    return Promise.resolve(this.#connection)
  }

  /**
   * One connection serves everybody, so a transaction held open across an `await` would take in the statements of
   * strangers. What belongs together goes to the worker together: `Database.atomically`.
   */
  beginTransaction(): Promise<never> {
    return Promise.reject(new Error('Transactions are given whole: use Database.atomically'))
  }

  commitTransaction(): Promise<never> {
    return this.beginTransaction()
  }

  rollbackTransaction(): Promise<never> {
    return this.beginTransaction()
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {}
}

class SqliteWorkerConnection implements DatabaseConnection {
  readonly #connection: SqliteConnection

  constructor(connection: SqliteConnection) {
    this.#connection = connection
  }

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    const [result] = await this.#connection.run([{ sql, parameters }], false)
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a room's row types are its word for its migrations
    return { rows: [...(result?.rows ?? [])] as Row[], numAffectedRows: BigInt(result?.changes ?? 0) }
  }

  // oxlint-disable-next-line require-yield -- the interface asks for an iterator, and there is nothing to iterate
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error('Rows are not streamed: read them in pages')
  }
}
