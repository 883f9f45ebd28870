import type { HealthRange, MemberHealthRecord } from '@malleus/shared/api/member-health.ts'
import type { Database } from '../database/database.ts'
import { sqliteIncidentStore } from '../incidents/incident-store.sqlite.ts'
import { Incidents } from '../incidents/incidents.ts'
import { sqliteWatchedTimesStore } from '../incidents/watched-times-store.sqlite.ts'
import { WatchedTimes } from '../incidents/watched-times.ts'
import { sqliteMemberChangeStore } from '../members/member-change-store.sqlite.ts'
import { MemberChanges } from '../members/member-changes.ts'
import { sqliteProbeHistoryStore } from '../members/probe-history-store.sqlite.ts'
import { ProbeHistory } from '../members/probe-history.ts'
import { readHealthRecord } from '../members/read-health-record.ts'
import type { ClusterParts, Tools } from './cluster-parts.ts'

/** What is written down of one cluster's servers as it happens: what probes showed, what changed, and incidents. */
export class ClusterRecords {
  readonly incidents: Incidents
  readonly #parts: ClusterParts
  readonly #tools: Tools
  readonly #watched: WatchedTimes
  readonly #probes: ProbeHistory
  readonly #changes: MemberChanges
  #end: () => void = () => {}

  constructor(parts: ClusterParts, database: Database, tools: Tools) {
    const { cluster, reported, prober, discovery } = parts
    const { name, board, directory } = cluster
    const common = { cluster: name, ...tools }
    this.#parts = parts
    this.#tools = tools
    this.#watched = new WatchedTimes({ ...common, store: sqliteWatchedTimesStore(database) })
    this.#probes = new ProbeHistory({
      ...common,
      onRecord: (listener) => prober.onRecord(listener),
      store: sqliteProbeHistoryStore(database),
    })
    this.#changes = new MemberChanges({
      ...common,
      board,
      members: () => directory.list().map((member) => member.name),
      reported,
      presented: (member) => prober.presented(member),
      onPresented: (listener) => prober.onPresented(listener),
      store: sqliteMemberChangeStore(database),
    })
    this.incidents = new Incidents({
      ...common,
      board,
      reported,
      lookAgain: () => void discovery.refresh(),
      watched: this.#watched,
      store: sqliteIncidentStore(database),
    })
  }

  /** Begins to write. Nothing is waited for. */
  start(): void {
    this.#end = this.#parts.requestEnds.subscribe((end) => this.incidents.count(end))
    this.#probes.start()
    this.#changes.start()
    void this.incidents.start()
  }

  /** Stops, with everything written that can be. */
  async stop(): Promise<void> {
    this.#end()
    await Promise.all([this.#probes.stop(), this.#changes.stop(), this.incidents.stop()])
  }

  /** Rejects with `NotFound` for a name that is no member, and while the database cannot be read. */
  readHealth(member: string, range: HealthRange): Promise<MemberHealthRecord> {
    const { directory, board } = this.#parts.cluster
    const gaps = (from: number, to: number) => this.#watched.gaps(from, to)
    const parts = { directory, board, probes: this.#probes, changes: this.#changes, gaps, clock: this.#tools.clock }
    return readHealthRecord(parts, member, range)
  }
}
