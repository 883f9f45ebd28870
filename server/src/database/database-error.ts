/** The database cannot take or give anything now: full, read-only, damaged, locked or gone. It may come back by itself. */
export class StorageUnavailable extends Error {
  override readonly name = 'StorageUnavailable'
  readonly code = 'storage_unavailable'
}

/** A row that must be the only one of its kind, or must belong to another, is not. */
export class ConstraintViolated extends Error {
  override readonly name = 'ConstraintViolated'
}

/** A statement that SQLite does not understand: a mistake in this program. */
export class StatementRefused extends Error {
  override readonly name = 'StatementRefused'
}

/** The database cannot be opened at all. The message is a sentence for the person who starts the console. */
export class CannotOpenDatabase extends Error {
  override readonly name = 'CannotOpenDatabase'
}

const SQLITE_CONSTRAINT = 19

/** Primary result codes (https://sqlite.org/rescode.html) that speak of the disk, the file or its lock. */
const storageCodes = new Set([
  3, // PERM
  5, // BUSY
  6, // LOCKED
  7, // NOMEM
  8, // READONLY
  10, // IOERR
  11, // CORRUPT
  13, // FULL
  14, // CANTOPEN
  15, // PROTOCOL
  22, // NOLFS
  23, // AUTH
  26, // NOTADB
])

/** Names what SQLite says by its extended result code. */
export function databaseError(message: string, extendedCode: number): Error {
  const code = extendedCode & 0xff
  if (code === SQLITE_CONSTRAINT) return new ConstraintViolated(message)
  if (storageCodes.has(code)) return new StorageUnavailable(message)
  return new StatementRefused(message)
}
