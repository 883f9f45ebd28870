/** Joins what the cluster reports of its members with what the console observes. Nothing here waits for a member. */
import { setImmediate } from 'node:timers/promises'
import type { Known } from '@malleus/shared/api/freshness.ts'
import type { Member, MemberDetail, ProbeRecord } from '@malleus/shared/api/members.ts'
import type { IncusServer } from '@malleus/shared/incus/server.ts'
import type { KnownMember, MemberDirectory } from '../clusters/member-directory.ts'
import type { Answer } from '../gateway/request.ts'
import type { HealthBoard } from '../health/health-board.ts'
import { silenceOf } from '../health/silence.ts'
import type { Clock } from '../lib/clock.ts'
import type { LastPresented, Observed, ObservedMember } from './member-view.ts'
import { memberDetailView, memberView, observedView, withReported } from './member-view.ts'
import type { SupportedModes } from './modes.ts'
import { supportedModes } from './modes.ts'
import { NotFound } from './not-possible.ts'
import { unavailable } from './reading.ts'
import type { Readings } from './readings.ts'
import { lastTold, noIdentity } from './readings.ts'
import type { Asker, ReportedByCluster, ReportedNow } from './reported-by-cluster.ts'
import type { ServerFacts } from './server-facts.ts'

/** What the prober knows of a member, by name. */
export interface ProbedMembers {
  presented(member: string): LastPresented | null
  records(member: string): readonly ProbeRecord[]
  clockSkew(member: string): { readonly skewMs: number } | null
}

/** How many instances are on each server, by its name. */
export type InstanceCounts = ReadonlyMap<string, Known<{ count: number }>>

export interface MembersOptions {
  readonly directory: MemberDirectory
  readonly board: HealthBoard
  readonly readings: Readings
  readonly probed: ProbedMembers
  readonly reportedByCluster: ReportedByCluster
  readonly serverFacts: ServerFacts
  /** How many instances are on each server, as the console itself knows; null where it has no identity to ask with. */
  readonly instanceCounts: () => InstanceCounts | null
  /** Asks for the list anew: it names members that the directory does not have. */
  readonly refresh: () => void
  /** A person was told that the server is not part of a cluster, by the member `via`. */
  readonly learnStandalone: (name: string, via: string) => void
  readonly clock: Clock
}

export interface MemberList {
  readonly members: Member[]
  readonly groups: { name: string; members: string[] }[]
  readonly modes: { evacuate: [...SupportedModes['evacuate']]; restore: [...SupportedModes['restore']] }
  /** By whom and how the list was answered; null when it is the last known one. */
  readonly answer: Answer<unknown> | null
}

/** What the console observes of the members that it knew at that moment; `at` is monotonic. */
interface ObservedNow {
  readonly directory: readonly KnownMember[]
  readonly at: number
  readonly views: readonly ObservedMember[]
}

const RECENT_MS = 20

export class Members {
  readonly #options: MembersOptions

  constructor(options: MembersOptions) {
    this.#options = options
  }

  /** Rejects only when Incus refuses the list to this person. */
  async list(asker: Asker): Promise<MemberList> {
    const [{ reported, server }, meanwhile] = await Promise.all([this.#ask(asker), this.#observeMeanwhile()])
    const { views } = this.#isRecent(meanwhile) ? meanwhile : this.#observe()
    const members = views.map((view) => withReported(view, reported))
    const { evacuate, restore } = supportedModes(server?.api_extensions ?? null)
    return {
      members,
      groups: groupsOf(members),
      modes: { evacuate: [...evacuate], restore: [...restore] },
      answer: reported.kind === 'fresh' ? reported.answer : null,
    }
  }

  /** Rejects with `NotFound` for a name that is no member. */
  async get(
    asker: Asker,
    name: string,
  ): Promise<{ readonly member: MemberDetail; readonly answer: Answer<unknown> | null }> {
    const { directory, clock } = this.#options
    const { reported } = await this.#ask(asker)
    const known = directory.get(name)
    if (known === undefined) throw new NotFound('server', name)
    const observed = this.#observed(name, this.#options.instanceCounts())
    const now = clock.now()
    const member = memberDetailView(memberView(known, reported, observed, now), observed, now)
    return { member, answer: reported.kind === 'fresh' ? reported.answer : null }
  }

  /** How the asker's cluster can evacuate and restore. */
  async modes(asker: Asker): Promise<SupportedModes> {
    return supportedModes((await this.#options.serverFacts.of(asker))?.api_extensions ?? null)
  }

  /** What the console itself observes, put together while the cluster is being asked: then it costs nobody any time. */
  async #observeMeanwhile(): Promise<ObservedNow> {
    await setImmediate()
    return this.#observe()
  }

  /** A slow answer may have changed what is believed, and is how a person would get to hear of it. */
  #isRecent({ directory, at }: ObservedNow): boolean {
    return directory === this.#options.directory.list() && this.#options.clock.monotonic() - at < RECENT_MS
  }

  #observe(): ObservedNow {
    const { clock, instanceCounts } = this.#options
    const [now, at, directory, counts] = [
      clock.now(),
      clock.monotonic(),
      this.#options.directory.list(),
      instanceCounts(),
    ]
    return {
      directory,
      at,
      views: directory.map((member) => observedView(member, this.#observed(member.name, counts), now)),
    }
  }

  #observed(name: string, counts: InstanceCounts | null): Observed {
    const { board, readings, probed } = this.#options
    const loss = board.databaseAvailable === false ? 'The cluster database does not answer.' : null
    return {
      health: board.view(name),
      presented: probed.presented(name),
      readings: lastTold(readings.of(name), silenceOf(board.current(name)), loss),
      instances: this.#instancesOf(name, counts),
      skewMs: probed.clockSkew(name)?.skewMs ?? null,
      probes: probed.records(name),
    }
  }

  #instancesOf(name: string, counts: InstanceCounts | null): Known<{ count: number }> {
    const { instancesInPart } = this.#options.readings
    if (instancesInPart !== null) return unavailable(instancesInPart)
    return counts === null ? unavailable(noIdentity) : (counts.get(name) ?? unavailable('It has not been read yet.'))
  }

  async #ask(asker: Asker): Promise<{ readonly reported: ReportedNow; readonly server: IncusServer | null }> {
    const { directory, reportedByCluster, serverFacts, refresh, learnStandalone } = this.#options
    const [reported, server] = await Promise.all([reportedByCluster.read(asker), serverFacts.of(asker)])
    if (reported.kind === 'standalone' && reported.via !== null) {
      learnStandalone(server?.environment?.server_name ?? reported.via, reported.via)
    }
    if (reported.kind === 'fresh') {
      const names = new Set(directory.list().map(({ name }) => name))
      if ([...reported.list.rows.keys()].some((name) => !names.has(name))) refresh()
    }
    return { reported, server }
  }
}

function groupsOf(members: readonly Member[]): MemberList['groups'] {
  const groups = new Map<string, string[]>()
  for (const { name, reported } of members) {
    for (const group of reported.value?.groups ?? []) groups.set(group, [...(groups.get(group) ?? []), name])
  }
  return [...groups].map(([name, members]) => ({ name, members })).toSorted((a, b) => a.name.localeCompare(b.name))
}
