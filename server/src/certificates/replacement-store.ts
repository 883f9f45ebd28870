import type { KeptChange } from './drift.ts'
import type { KeptReplacement } from './replacement.ts'

/** Replacements of certificates, and which one a cluster had when. No private key is ever in it. */
export interface ReplacementStore {
  /** The one that was asked for last; null when there never was one. */
  latest(cluster: string): Promise<KeptReplacement | null>
  write(cluster: string, replacement: KeptReplacement): Promise<void>
  /** Newest first. */
  changes(cluster: string, most: number): Promise<readonly KeptChange[]>
  addChange(cluster: string, change: KeptChange): Promise<void>
}
