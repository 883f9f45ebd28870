import { Worker } from 'node:worker_threads'
import type { Clock } from '../lib/clock.ts'
import { databaseError, StorageUnavailable } from './database-error.ts'
import type { Statement, StatementResult, WorkerReply, WorkerRequest, WorkerSettings } from './statement.ts'

export interface SqliteConnectionOptions extends WorkerSettings {
  readonly clock: Clock
  /** After this, a statement that has not been answered counts as failed; whether it was carried out is not known. */
  readonly deadlineMs: number
  /** Statements waiting at once; more are refused at once. */
  readonly mostWaiting: number
  /** Hears how long each answer took, and whether it was a failure. */
  readonly onAnswered?: (tookMs: number, failed: boolean) => void
}

interface Waiting {
  readonly resolve: (results: readonly StatementResult[]) => void
  readonly reject: (error: Error) => void
  readonly cancelDeadline: () => void
}

/**
 * The main thread's end of the worker that owns a SQLite file. Statements are carried out in the order in which they
 * were given. A worker that dies fails what it was asked, and the next statement starts another one.
 */
export class SqliteConnection {
  readonly #options: SqliteConnectionOptions
  readonly #waiting = new Map<number, Waiting>()
  #worker: Worker | undefined
  #nextId = 1
  #closed = false

  constructor(options: SqliteConnectionOptions) {
    this.#options = options
  }

  /** Carries statements out; with `atomic`, all of them or none. */
  run(statements: readonly Statement[], atomic: boolean): Promise<readonly StatementResult[]> {
    return this.#ask((id) => ({ id, kind: 'run', statements, atomic }))
  }

  /**
   * Carries out what was asked before, closes the file and ends the worker; does not wait for ever for a disk that
   * hangs, since what was committed is safe without it. Harmless when repeated.
   */
  async close(): Promise<void> {
    if (this.#closed) return
    const worker = this.#worker
    if (worker !== undefined) await this.#ask((id) => ({ id, kind: 'close' })).catch(() => undefined)
    this.#closed = true
    this.#worker = undefined
    await worker?.terminate()
  }

  #ask(requestOf: (id: number) => WorkerRequest): Promise<readonly StatementResult[]> {
    if (this.#closed) return Promise.reject(new StorageUnavailable('The database has been closed'))
    if (this.#waiting.size >= this.#options.mostWaiting) {
      return Promise.reject(new StorageUnavailable(`${this.#waiting.size} statements are waiting for the database`))
    }
    const id = this.#nextId++
    const worker = (this.#worker ??= this.#start())
    const { clock, deadlineMs, onAnswered = () => {} } = this.#options
    const askedAt = clock.monotonic()
    return new Promise((resolve, reject) => {
      const cancelDeadline = clock.after(deadlineMs, () => {
        this.#waiting.delete(id)
        onAnswered(clock.monotonic() - askedAt, true)
        reject(new StorageUnavailable(`The database did not answer within ${deadlineMs} ms`))
      })
      this.#waiting.set(id, {
        resolve: (results) => {
          onAnswered(clock.monotonic() - askedAt, false)
          resolve(results)
        },
        reject: (error) => {
          onAnswered(clock.monotonic() - askedAt, true)
          reject(error)
        },
        cancelDeadline,
      })
      // A question that was asked keeps the process alive, an idle worker does not.
      worker.ref()
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      worker.postMessage(requestOf(id))
    })
  }

  #start(): Worker {
    const { file, busyTimeoutMs } = this.#options
    const worker = new Worker(workerFile, {
      workerData: { file, busyTimeoutMs } satisfies WorkerSettings,
      name: 'sqlite',
    })
    worker.unref()
    worker.on('message', (reply: WorkerReply) => this.#settle(worker, reply))
    worker.on('error', (error) => this.#lost(worker, error))
    worker.on('exit', () => this.#lost(worker, new Error('The database thread ended')))
    return worker
  }

  #settle(worker: Worker, reply: WorkerReply): void {
    const waiting = this.#waiting.get(reply.id)
    this.#waiting.delete(reply.id)
    if (this.#waiting.size === 0) worker.unref()
    if (waiting === undefined) return
    waiting.cancelDeadline()
    if ('failure' in reply) waiting.reject(databaseError(reply.failure.message, reply.failure.code))
    else waiting.resolve(reply.results)
  }

  #lost(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    const lost = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { reject, cancelDeadline } of lost) {
      cancelDeadline()
      const reason = cause instanceof Error ? cause.message : String(cause)
      reject(new StorageUnavailable(`The database thread ended: ${reason}`, { cause }))
    }
  }
}

/** Beside this file: as TypeScript when run from its sources, as JavaScript when bundled. */
const workerFile = new URL(
  import.meta.url.endsWith('.ts') ? './sqlite-worker.ts' : './sqlite-worker.js',
  import.meta.url,
)
