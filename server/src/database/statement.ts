/** What SQLite takes and gives. Booleans and dates have no form of their own there: stores write 0 or 1, and instants. */
export type SqlValue = null | number | bigint | string | Uint8Array

export interface Statement {
  readonly sql: string
  readonly parameters: readonly unknown[]
}

export interface StatementResult {
  readonly rows: readonly Readonly<Record<string, SqlValue>>[]
  /** Rows inserted, changed or deleted; 0 for a question. */
  readonly changes: number
}

/** What the main thread asks of the worker. The statements of one message run without anything in between. */
export type WorkerRequest =
  | { readonly id: number; readonly kind: 'run'; readonly statements: readonly Statement[]; readonly atomic: boolean }
  | { readonly id: number; readonly kind: 'close' }

export type WorkerReply =
  | { readonly id: number; readonly results: readonly StatementResult[] }
  | { readonly id: number; readonly failure: WorkerFailure }

export interface WorkerFailure {
  readonly message: string
  /** SQLite's extended result code, 0 where the failure is not SQLite's. */
  readonly code: number
}

/** How the worker opens its file. */
export interface WorkerSettings {
  /** Absolute path, or `:memory:`. */
  readonly file: string
  /** How long a statement waits for another process that holds the lock. */
  readonly busyTimeoutMs: number
}
