import type { KeyPair } from '../certificate-authority.ts'
import { systemClock } from './clock.ts'
import type { Clock } from './clock.ts'

export interface StandInClusterOptions {
  /** How many, or their names. Default 5: server1 to server5. */
  members?: number | readonly string[]
  /** Where the releases differ, behave like this one. Default 6.0.4. */
  version?: '6.0.4' | '7.0.2'
  /** Address all members listen on. Default 127.0.0.1. */
  host?: string
  /** The first member's port; the next ones follow. Default: free ports. */
  basePort?: number
  /** Time for everything but sockets. Default: the machine's. */
  clock?: Clock
  /** Bearer authentication; absent: only certificates. */
  oidc?: OidcSettings
  /** The certificate every member presents. Default: a new one. */
  certificate?: KeyPair
  /** Instances: how many per member, or which. Default 3 per member. */
  instances?: number | readonly InstanceSeed[]
  /** Names of projects besides `default`. Default: `web`. */
  projects?: readonly string[]
  /** Cluster groups besides `default`, with their members. */
  groups?: Readonly<Record<string, readonly string[]>>
  /** Failure domains by member. Default: `default`. */
  failureDomains?: Readonly<Record<string, string>>
  /** What Incus lets people do, by the name Incus has for them. Who is not named may do everything, as without OpenFGA. */
  access?: Readonly<Record<string, PersonAccess>>
  /** As in 6.0.4 with `core.https_address=:8443`: a member's own stream carries its own events twice. Default false. */
  duplicateOwnEvents?: boolean
  /** Age of the last heartbeat that makes a member Offline. Default 20 000. */
  offlineThresholdMs?: number
  /** Between heartbeats. Default: half the threshold. */
  heartbeatMs?: number
  /** How long a recursive list waits for a silent member that still counts as Online. Default 30 000. */
  fanOutWaitMs?: number
  /** How long a forwarded request waits for a member's event connection. Default 10 000. */
  forwardWaitMs?: number
  /** How long it takes until the event connection to a silent member is given up. Default 20 000. */
  eventConnectionMs?: number
  /** How long a database call waits for a quorum before it answers 503. Default 30 000; Incus takes 4 to 60 s. */
  databaseWaitMs?: number
  /** How long a leader that is left without a quorum still answers. Default 4 000. */
  leaderLeaseMs?: number
  /** How long a call waits to know who leads, once nobody does, before it answers 500. Default 5 000. */
  leaderLookupMs?: number
  /** How long the database stands still when its leader has died. Default 5 000. */
  leaderTakeoverMs?: number
  /** How long the database stands still when its leader has stopped or is cut off. Default 30 000. */
  stuckLeaderMs?: number
  /** How long every answer takes. Default 0. */
  answerMs?: number
  /** How long it takes to move, stop or start one instance. Default 300. */
  moveMs?: number
  /** How long a finished operation is remembered. Default 5 000. */
  operationKeepMs?: number
  /** How many requests are kept for inspection. Default 10 000. */
  keepRequests?: number
}

export interface OidcSettings {
  issuer: string
  /** Default `incus`. */
  audience?: string
  /** Default `incus`. */
  clientId?: string
  /** The claim that names a user. Default: `email`, else `sub`. */
  claim?: string
  /** PEM of certificates to trust at the issuer besides the system's. */
  ca?: string
}

export interface InstanceSeed {
  name: string
  /** Name of the member it is on. */
  location: string
  /** Default `default`. */
  project?: string
  /** Default `Running`. */
  status?: 'Running' | 'Stopped' | 'Frozen'
  /** Default `container`. */
  type?: 'container' | 'virtual-machine'
  config?: Readonly<Record<string, string>>
}

export interface PersonAccess {
  /** `edit` everything, `view` everything, or nothing at all. */
  may: 'edit' | 'view' | 'nothing'
  /** Sees only these projects. Default: all. */
  projects?: readonly string[]
  /** Answered with 403 although `may` would allow it: method and path, as in `POST /1.0/cluster/members/server2/state`. */
  forbidden?: readonly string[]
}

/** Every option with its default in place. */
export interface Settings extends Required<
  Omit<StandInClusterOptions, 'oidc' | 'certificate' | 'basePort' | 'members'>
> {
  oidc: Required<Omit<OidcSettings, 'claim' | 'ca'>> & Pick<OidcSettings, 'claim' | 'ca'>
  memberNames: readonly string[]
  withOidc: boolean
  seven: boolean
}

export function settingsOf(options: StandInClusterOptions): Settings {
  const offlineThresholdMs = options.offlineThresholdMs ?? 20_000
  const version = options.version ?? '6.0.4'
  return {
    memberNames: namesOf(options.members ?? 5),
    version,
    seven: version.startsWith('7.'),
    host: options.host ?? '127.0.0.1',
    clock: options.clock ?? systemClock,
    withOidc: options.oidc !== undefined,
    oidc: { issuer: '', audience: 'incus', clientId: 'incus', ...options.oidc },
    instances: options.instances ?? 3,
    projects: options.projects ?? ['web'],
    groups: options.groups ?? {},
    failureDomains: options.failureDomains ?? {},
    access: options.access ?? {},
    duplicateOwnEvents: options.duplicateOwnEvents ?? false,
    offlineThresholdMs,
    heartbeatMs: options.heartbeatMs ?? offlineThresholdMs / 2,
    fanOutWaitMs: options.fanOutWaitMs ?? 30_000,
    forwardWaitMs: options.forwardWaitMs ?? 10_000,
    eventConnectionMs: options.eventConnectionMs ?? 20_000,
    databaseWaitMs: options.databaseWaitMs ?? 30_000,
    leaderLeaseMs: options.leaderLeaseMs ?? 4_000,
    leaderLookupMs: options.leaderLookupMs ?? 5_000,
    leaderTakeoverMs: options.leaderTakeoverMs ?? 5_000,
    stuckLeaderMs: options.stuckLeaderMs ?? 30_000,
    answerMs: options.answerMs ?? 0,
    moveMs: options.moveMs ?? 300,
    operationKeepMs: options.operationKeepMs ?? 5_000,
    keepRequests: options.keepRequests ?? 10_000,
  }
}

function namesOf(members: number | readonly string[]): readonly string[] {
  return typeof members === 'number' ? Array.from({ length: members }, (_, index) => `server${index + 1}`) : members
}
