import type { PreparedKey } from '@malleus/shared/api/certificate-replacement.ts'

/** Private keys that wait for their certificate, each sealed. */
export interface PreparedKeyStore {
  /** Oldest first. */
  list(cluster: string): Promise<readonly PreparedKey[]>
  /** The sealed key; undefined when there is none of that id. */
  sealed(cluster: string, id: string): Promise<Uint8Array | undefined>
  add(cluster: string, prepared: PreparedKey, sealed: Uint8Array): Promise<void>
  remove(cluster: string, id: string): Promise<void>
}
