import type { ChainHead } from './audit-store.ts'

/** Where the console keeps what it has signed, beside the records; only added to. */
export interface AttestationStore {
  /** Adds one, durable when it resolves; false when another took its number meanwhile. */
  append(attestation: StoredAttestation): Promise<boolean>
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
