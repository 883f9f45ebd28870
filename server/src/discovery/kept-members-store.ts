import type { IncusMember } from '@malleus/shared/incus/member.ts'

/** The list of members as the cluster last told it, `at` wall clock. */
export interface KeptMembers {
  readonly members: readonly IncusMember[]
  readonly at: number
}

/** Keeps what the cluster said of its members beyond the life of the process. */
export interface KeptMembersStore {
  /** Null when there is nothing, or when it was said by a cluster that was trusted otherwise. */
  read(cluster: string, trusted: string): Promise<KeptMembers | null>
  write(cluster: string, trusted: string, kept: KeptMembers): Promise<void>
}
