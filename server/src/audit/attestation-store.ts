import type { ChainHead } from './audit-store.ts'

/** Where the console keeps what it has signed, beside the records; only added to. */
export interface AttestationStore {
  /** Adds one, durable when it resolves; false when another took its number meanwhile. */
  append(attestation: StoredAttestation): Promise<boolean>
  /**
   * Adds a tombstone and removes the records at these positions, all or nothing; false when another took its number
   * meanwhile. The only way in which a record is ever removed.
   */
  bury(tombstone: StoredAttestation, positions: readonly number[]): Promise<boolean>
  /** The last one; null when there is none. */
  last(): Promise<StoredAttestation | null>
  /** In their order, those after a number. */
  after(number: number, limit: number): Promise<readonly StoredAttestation[]>
  /** The last record of every chain. */
  heads(): Promise<readonly ChainHead[]>
}

export interface StoredAttestation {
  readonly number: number
  readonly text: string
}
