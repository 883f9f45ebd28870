import type { Operation } from '@malleus/shared/api/operations.ts'
import type { ToldOperation } from './told-operation.ts'

/** One operation of a cluster as it is kept. */
export interface StoredOperation {
  readonly operation: Operation
  readonly told: ToldOperation | null
  /** What the history is to say of who began it here; null where nobody did. */
  readonly begun: unknown
}

/** One with its place in the order of changes. */
export interface OperationChange extends StoredOperation {
  readonly revision: number
}

/** That an authority saw an operation. */
export interface Sight {
  readonly authority: string
  readonly id: string
  readonly revision: number
}

export interface OperationPiece {
  readonly operations: readonly Operation[]
  /** Of the last of them; that which was asked with, where there are none. */
  readonly revision: number
  readonly more: boolean
}

/** Where operations outlive their server, their cluster and this process. */
export interface OperationStore {
  /** All or nothing. What is there already is replaced. */
  write(cluster: string, changes: readonly OperationChange[], sights: readonly Sight[]): Promise<void>
  /** Those that had not ended, or ended since an instant, with who saw them; and the highest revision there is. */
  open(cluster: string, endedSince: number): Promise<OpenedOperations>
  /** What an authority saw and what has changed since a revision, in the order of change. */
  piece(cluster: string, authority: string, since: number, most: number): Promise<OperationPiece>
  /** One that an authority saw. */
  one(cluster: string, authority: string, id: string): Promise<StoredOperation | null>
  /**
   * Forgets what was heard last before an instant, and of what is more than `most` first what went well before another
   * instant, then whatever is oldest. What has not ended stays.
   */
  prune(
    cluster: string,
    keep: { readonly since: number; readonly wellSince: number; readonly most: number },
  ): Promise<void>
}

export interface OpenedOperations {
  readonly rows: readonly StoredOperation[]
  readonly sights: readonly Pick<Sight, 'authority' | 'id'>[]
  readonly revision: number
}
