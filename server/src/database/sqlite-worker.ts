/**
 * The thread that owns one SQLite file. node:sqlite is synchronous: with `synchronous=FULL` each commit waits for the
 * disk, and a disk may take seconds. Here that wait blocks nobody but the statements behind it.
 */
import { DatabaseSync } from 'node:sqlite'
import type { SQLInputValue, StatementSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import type {
  Statement,
  StatementResult,
  WorkerFailure,
  WorkerReply,
  WorkerRequest,
  WorkerSettings,
} from './statement.ts'

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- given by sqlite-connection.ts, which is its only starter
const settings = workerData as WorkerSettings
const database = open(settings)
const prepared = new Map<string, StatementSync>()

parentPort?.on('message', (request: WorkerRequest) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(answer(request))
  if (request.kind === 'close') parentPort?.close()
})

function open({ file, busyTimeoutMs }: WorkerSettings): DatabaseSync {
  const opened = new DatabaseSync(file, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true, defensive: true })
  opened.exec('pragma journal_mode = wal')
  opened.exec('pragma synchronous = full')
  opened.exec('pragma trusted_schema = off')
  const journal = opened.prepare('pragma journal_mode').get()?.['journal_mode']
  const synchronous = opened.prepare('pragma synchronous').get()?.['synchronous']
  // SQLite answers a pragma it cannot honour with the old value instead of an error, so both are read back
  // (https://sqlite.org/pragma.html#pragma_journal_mode). A database in memory has no journal.
  const wanted = file === ':memory:' ? 'memory' : 'wal'
  if (journal !== wanted || synchronous !== 2) {
    throw new Error(
      `SQLite runs with journal_mode=${String(journal)} and synchronous=${String(synchronous)} instead of ${wanted} and 2 (FULL)`,
    )
  }
  return opened
}

function answer(request: WorkerRequest): WorkerReply {
  try {
    switch (request.kind) {
      case 'run':
        return {
          id: request.id,
          results: request.atomic ? inTransaction(request.statements) : request.statements.map(run),
        }
      case 'close':
        database.close()
        return { id: request.id, results: [] }
    }
  } catch (error) {
    return { id: request.id, failure: failureOf(error) }
  }
}

function inTransaction(statements: readonly Statement[]): StatementResult[] {
  database.exec('begin immediate')
  try {
    const results = statements.map(run)
    database.exec('commit')
    return results
  } catch (error) {
    // Some failures (a full disk among them) have already rolled back (https://sqlite.org/lang_transaction.html).
    if (database.isTransaction) database.exec('rollback')
    throw error
  }
}

function run({ sql, parameters }: Statement): StatementResult {
  const statement = preparedFor(sql)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- SQLite itself refuses what it cannot hold
  const values = parameters as readonly SQLInputValue[]
  if (statement.columns().length > 0) {
    return { rows: statement.all(...values), changes: 0 }
  }
  return { rows: [], changes: Number(statement.run(...values).changes) }
}

const MOST_PREPARED = 200

/** Preparing costs more than running; the oldest statement makes room. */
function preparedFor(sql: string): StatementSync {
  const known = prepared.get(sql)
  if (known !== undefined) return known
  const statement = database.prepare(sql)
  if (prepared.size >= MOST_PREPARED) prepared.delete(prepared.keys().next().value ?? '')
  prepared.set(sql, statement)
  return statement
}

function failureOf(error: unknown): WorkerFailure {
  const message = error instanceof Error ? error.message : String(error)
  const code = error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : 0
  return { message, code }
}
