/** A client certificate, PEM, with its key sealed. */
export interface SealedIdentity {
  readonly certificate: string
  readonly sealedKey: Uint8Array
}

/**
 * How far the rotation of an identity is.
 *
 * - `adding`: the next one is made, and may be in the trust store already; the one before is in force.
 * - `removing`: the next one is in force; the one before may still be in the trust store.
 * - `settled`: there is one.
 */
export interface KeptIdentity {
  readonly stage: 'adding' | 'removing' | 'settled'
  /** The one in force; null where that is the configured one. */
  readonly current: SealedIdentity | null
  /** While it is being added. */
  readonly next: SealedIdentity | null
  /** SHA-256 of the one that is being removed. */
  readonly leaving: string | null
}

/** Identities that took the place of a configured one. */
export interface ConsoleIdentityStore {
  /** Null when there is none, or when the configured one (its SHA-256) is another than it was: that then wins. */
  read(cluster: string, configured: string): Promise<KeptIdentity | null>
  write(cluster: string, configured: string, kept: KeptIdentity, at: number): Promise<void>
}
