import type { MemberChange } from '@malleus/shared/api/member-health.ts'

/** One change; `number` tells apart those of one millisecond. */
export interface KeptChange {
  readonly member: string
  readonly number: number
  readonly change: MemberChange
}

/** What is kept of the changes of one member in a time. */
export interface ChangesRead {
  /** Newest first. */
  readonly changes: readonly MemberChange[]
  /** The last change of its standing before that. */
  readonly standingBefore: MemberChange | null
  /** The oldest that is kept of this member at all, in milliseconds since 1970; null when there is none. */
  readonly oldestAt: number | null
  /** How many are kept of this member. */
  readonly kept: number
}

/** Keeps the changes of members beyond the life of the process. */
export interface MemberChangeStore {
  /** Writes the changes; one that is there already stays as it is. */
  write(cluster: string, changes: readonly KeptChange[]): Promise<void>
  /** The changes of one member from that time on. */
  read(cluster: string, member: string, from: number): Promise<ChangesRead>
  /** The latest change of each kind, for each member. */
  latest(cluster: string): Promise<readonly Pick<KeptChange, 'member' | 'change'>[]>
  /** Forgets what is older than that, and of each of the members named all but the latest `most`. */
  prune(cluster: string, before: number, members: readonly string[], most: number): Promise<void>
}
