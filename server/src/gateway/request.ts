import type { Target } from '@malleus/shared/domain/target.ts'
import type { z } from 'zod'
import type { Scope } from './scope.ts'

/** How a request is carried; the rules of each class are in gateway.ts. */
export type RequestClass = 'read' | 'list' | 'longpoll' | 'stream' | 'download' | 'upload' | 'mutate'

/** A question to Incus that changes nothing. */
export interface ReadRequest<Parsed> {
  readonly class: 'read' | 'list' | 'longpoll'
  readonly scope: Scope
  /** Which members may answer. */
  readonly target: Target
  /** Below `/1.0`, segments already encoded, e.g. `/cluster/members`. Empty for the server itself. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  /**
   * The member that has what is asked about, where Incus would pass the question on to it and neither path nor `target`
   * say which: everything under an instance or a volume. Null when it is not known which one has it.
   */
  readonly on?: string | null
  /** What `metadata` of the answer has to be. */
  readonly parse: z.ZodType<Parsed>
  /**
   * For a list that may have thousands of rows: what of each of them is handed to `parse`. Such an answer is read in
   * pieces, so that nothing else waits while it is.
   */
  readonly eachRow?: (row: unknown) => unknown
  /** Default: by class, 5 s for a read, 10 s for a list, 65 s for a long poll. */
  readonly deadlineMs?: number
  readonly signal?: AbortSignal
}

/** A change. Sent to one member; to another one only if no byte of it was written. */
export interface WriteRequest<Parsed> {
  readonly scope: Scope
  readonly target: Target
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly ifMatch?: string
  readonly parse: z.ZodType<Parsed>
  /** Default 30 s. */
  readonly deadlineMs?: number
  readonly signal?: AbortSignal
}

/** What came back, and how. */
export interface Answer<Parsed> {
  readonly value: Parsed
  /** For an asynchronous reply: the path of the operation, e.g. `/1.0/operations/<uuid>`. */
  readonly operation: string | null
  readonly etag: string | null
  /** The member that answered. */
  readonly via: string
  readonly attempts: number
  readonly hedged: boolean
}
