import { createHash } from 'node:crypto'

/** An answer in Incus's envelope: every key is there, with its zero value where it says nothing. */
export type Reply =
  | { kind: 'sync'; metadata: unknown; status?: number; location?: string; etag?: string }
  | { kind: 'async'; operation: { url: string; metadata: unknown } }
  /** The header goes out at once, the body when it is there: `GET /1.0/operations/{id}/wait`. */
  | { kind: 'later'; body: Promise<string> }
  /** The connection ends without a word, as when the daemon fails in the middle. */
  | { kind: 'hang-up' }

/** An answer with an error, thrown from wherever it is found out. */
export class IncusError extends Error {
  override readonly name = 'IncusError'
  readonly code: number

  constructor(code: number, text: string) {
    super(text)
    this.code = code
  }
}

export function sync(metadata: unknown): Reply {
  return { kind: 'sync', metadata }
}

/** An object with the ETag Incus gives it; over which part of the object is Incus's own business. */
export function syncWithETag(metadata: unknown, over: unknown = metadata): Reply {
  return { kind: 'sync', metadata, etag: createHash('sha256').update(JSON.stringify(over)).digest('hex') }
}

/** What PUT, PATCH and DELETE answer. */
export const done: Reply = { kind: 'sync', metadata: {} }

export function created(location: string): Reply {
  return { kind: 'sync', metadata: null, status: 201, location }
}

export function syncEnvelope(metadata: unknown): string {
  return line({
    type: 'sync',
    status: 'Success',
    status_code: 200,
    operation: '',
    error_code: 0,
    error: '',
    metadata,
  })
}

export function asyncEnvelope(operation: string, metadata: unknown): string {
  return line({
    type: 'async',
    status: 'Operation created',
    status_code: 100,
    operation,
    error_code: 0,
    error: '',
    metadata,
  })
}

export function errorEnvelope(code: number, text: string): string {
  return line({
    type: 'error',
    status: '',
    status_code: 0,
    operation: '',
    error_code: code,
    error: text,
    metadata: null,
  })
}

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`
}
