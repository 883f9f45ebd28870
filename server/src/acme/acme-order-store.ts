import type { AcmeOrder } from '@malleus/shared/api/acme.ts'

/** An order as it is kept: with what was so before, and what the history knows of who asked for it. */
export interface KeptOrder {
  readonly order: AcmeOrder
  readonly fingerprintsBefore: readonly string[]
  /** Incus's own work on the certificate that was known before, by id. */
  readonly renewalsBefore: readonly string[]
  readonly begun: unknown
}

/** Keeps the latest order of each cluster beyond the life of the process. No secret is in it. */
export interface AcmeOrderStore {
  read(cluster: string): Promise<KeptOrder | null>
  write(cluster: string, kept: KeptOrder): Promise<void>
}
