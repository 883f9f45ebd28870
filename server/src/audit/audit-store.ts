import type { AuditRecord } from '@malleus/shared/api/audit.ts'

/** A record as it is kept: the canonical text, and beside it what questions are asked by. */
export interface StoredLine {
  readonly position: number
  readonly chain: string
  readonly seq: number
  readonly hash: string
  readonly prev: string
  /** Milliseconds since 1970. */
  readonly at: number
  readonly cluster: string | null
  readonly object: string | null
  readonly quiet: boolean
  readonly text: string
}

export interface ChainHead {
  readonly chain: string
  readonly seq: number
  readonly hash: string
}

/** Where records are kept. Only added to; nothing in it can be changed or removed. */
export interface AuditStore {
  /** Adds records in this order, all of them or none; they survive a loss of power when it resolves. */
  append(records: readonly AuditRecord[]): Promise<void>
  /** The last record of all, or of one chain; null when there is none. */
  head(chain?: string): Promise<ChainHead | null>
  /** Newest first, those before a position. */
  before(position: number, limit: number): Promise<readonly StoredLine[]>
  /** Those at these positions, in no order; what is not there is left out. */
  at(positions: readonly number[]): Promise<readonly StoredLine[]>
  /** One by its place in its chain; undefined when there is none. */
  find(chain: string, seq: number): Promise<StoredLine | undefined>
  /** Those of a chain whose columns say a place from one to another, in the order of writing. */
  ofChain(chain: string, from: number, to: number): Promise<readonly StoredLine[]>
  /** In the order of writing, those after a position. For the verification. */
  after(position: number, limit: number): Promise<readonly StoredLine[]>
}
