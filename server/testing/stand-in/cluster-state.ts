import { randomBytes } from 'node:crypto'
import type { KeyPair } from '../certificate-authority.ts'
import { fingerprintOf } from '../certificate-authority.ts'
import type { AcmeAuthority } from './acme.ts'
import type { Clock } from './clock.ts'
import type { Instance } from './instances.ts'
import { seedInstances } from './instances.ts'
import { Leadership } from './leadership.ts'
import { Member } from './member.ts'
import type { PersonAccess, Settings } from './options.ts'
import { IncusError } from './replies.ts'
import { TrustStore } from './trust-store.ts'

export interface Project {
  name: string
  description: string
  config: Record<string, string>
}

export interface Warning {
  uuid: string
  type: string
  severity: 'low' | 'moderate' | 'high'
  status: 'new' | 'acknowledged' | 'resolved'
  lastMessage: string
  location: string
  project: string
  firstSeenAt: number
}

/** What the cluster database holds, and who leads it. */
export class ClusterState {
  readonly settings: Settings
  readonly clock: Clock
  readonly members: Member[] = []
  readonly instances: Instance[]
  readonly projects: Project[]
  readonly warnings: Warning[] = []
  readonly trust = new TrustStore()
  readonly leadership: Leadership
  /** What Incus lets people do; may be changed at any time. */
  readonly access: Map<string, PersonAccess>
  readonly groups: Map<string, { description: string; config: Record<string, string> }>
  /** Server configuration beyond what the options say. */
  readonly config: Record<string, string> = {}
  /** What the database holds of the settings after an order that failed; null when it is what the members show. */
  stored: Readonly<Record<string, string>> | null = null
  /** What becomes of orders for a certificate; may be changed at any time. */
  readonly acme: AcmeAuthority = { takesMs: 0, fails: null, validMs: 90 * 86_400_000 }
  certificate: KeyPair
  /** Members that missed an update, with what they still present. */
  readonly leftBehind = new Map<Member, KeyPair>()
  /** Members do not find each other any more, as with a certificate that they refuse themselves; why, in Go's words. */
  dark: string | null = null

  constructor(settings: Settings, certificate: KeyPair) {
    this.settings = settings
    this.clock = settings.clock
    this.certificate = certificate
    this.access = new Map(Object.entries(settings.access))
    this.groups = new Map([
      ['default', { description: 'Default cluster group', config: {} }],
      ...Object.keys(settings.groups).map((name) => [name, { description: '', config: {} }] as const),
    ])
    this.projects = ['default', ...settings.projects].map((name) => ({
      name,
      description: name === 'default' ? 'Default Incus project' : '',
      config: PROJECT_FEATURES,
    }))
    this.leadership = new Leadership({
      clock: settings.clock,
      members: () => this.members,
      takeoverMs: settings.leaderTakeoverMs,
      stuckLeaderMs: settings.stuckLeaderMs,
      leaderLeaseMs: settings.leaderLeaseMs,
      leaderLookupMs: settings.leaderLookupMs,
      databaseWaitMs: settings.databaseWaitMs,
    })
    for (const name of settings.memberNames) this.join(name)
    this.instances = seedInstances(
      settings.instances,
      settings.memberNames,
      this.projects.map(({ name }) => name),
      settings.clock.now(),
    )
  }

  get fingerprint(): string {
    return fingerprintOf(this.certificate.certificate)
  }

  /** A new row in the members table. */
  join(name: string): Member {
    const { settings } = this
    const groups = Object.entries(settings.groups).filter(([, names]) => names.includes(name))
    const member = new Member({
      name,
      host: settings.host,
      failureDomain: settings.failureDomains[name] ?? 'default',
      description: '',
      groups: ['default', ...groups.map(([group]) => group)],
      clock: settings.clock,
    })
    this.members.push(member)
    this.leadership.reconsider()
    return member
  }

  leave(member: Member): void {
    this.members.splice(this.members.indexOf(member), 1)
    this.leadership.reconsider()
  }

  /** The member of that name, or Incus's 404. */
  member(name: string): Member {
    const member = this.members.find((candidate) => candidate.name === name)
    if (member === undefined) throw new IncusError(404, 'Cluster member not found')
    return member
  }

  /** One round of heartbeats by the leader. */
  beat(): void {
    const { leader } = this.leadership
    if (leader?.answering !== true || this.dark !== null) return
    for (const member of this.members) {
      if (member.answering) member.lastHeartbeatAt = leader.now()
      member.heartbeatRefused = member.process === 'dead'
    }
  }

  /** Offline in the eyes of one member: it compares the leader's times with its own clock. */
  isOffline(member: Member, seenBy: Member): boolean {
    return seenBy.now() - member.lastHeartbeatAt > this.settings.offlineThresholdMs
  }

  /** The members of a group, or Incus's 404. */
  groupMembers(group: string): Member[] {
    if (!this.groups.has(group)) throw new IncusError(404, 'Cluster_group not found')
    return this.members.filter((member) => member.groups.includes(group))
  }

  newId(): string {
    return randomBytes(16)
      .toString('hex')
      .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  }
}

const PROJECT_FEATURES: Record<string, string> = {
  'features.images': 'true',
  'features.networks': 'true',
  'features.networks.zones': 'true',
  'features.profiles': 'true',
  'features.storage.buckets': 'true',
  'features.storage.volumes': 'true',
}
