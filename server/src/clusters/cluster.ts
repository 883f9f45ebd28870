import type { Gateway } from '../gateway/gateway.ts'
import type { HealthBoard } from '../health/health-board.ts'
import type { MemberDirectory } from './member-directory.ts'
import type { Trust } from './trust.ts'

/**
 * Whose authority a person's request carries to the cluster. `bearer`: their own access token, and Incus decides.
 * `certificate`: the console identity, after the console's own role check, where Incus has no OpenID Connect.
 */
export type ClusterMode = 'bearer' | 'certificate'

/** The client certificate with which the console itself is known to a cluster; both PEM. */
export interface ConsoleIdentity {
  readonly certificate: string
  readonly key: string
  /** Whether it was allowed to be one that Incus does not restrict to projects. */
  readonly unrestricted: boolean
}

/** One Incus cluster, or a standalone server as a cluster of one, with the parts that watch and reach it. */
export interface Cluster {
  readonly name: string
  readonly mode: ClusterMode
  readonly directory: MemberDirectory
  readonly trust: Trust
  readonly board: HealthBoard
  readonly gateway: Gateway
  /** Null where none was configured: background work is then limited to what is public. */
  readonly identity: ConsoleIdentity | null
  /** The audience of access tokens for this cluster; null when the provider is not asked for one. */
  readonly audience: string | null
  /** Networks, as CIDR, in which discovered members are contacted; null for exactly the listed addresses. */
  readonly memberNetworks: readonly string[] | null
  /** Ports on which discovered members are contacted. */
  readonly memberPorts: readonly number[]
  /** Whether every connection begins with a PROXY v1 header. */
  readonly proxyProtocol: boolean
}
