import type { Incident, IncidentSummary } from '@malleus/shared/api/incidents.ts'
import type { ReportedMembers } from '../clusters/reported-members.ts'
import type { RequestEnd } from '../gateway/request-end.ts'
import type { HealthBoard, HealthChange } from '../health/health-board.ts'
import type { Health } from '../health/health.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'
import { Subscribable } from '../lib/subscribable.ts'
import { WriteBehind } from '../lib/write-behind.ts'
import type { Believed, KeptIncident } from './incident.ts'
import {
  awaitsCluster,
  beginIncident,
  continueIncident,
  endByLeaving,
  endIncident,
  hasDeparted,
  isDoubt,
  noteReported,
  noteRequest,
  QUIET_MS,
  resumeIncident,
  viewOf,
} from './incident.ts'
import type { IncidentFilter, IncidentStore } from './incident-store.ts'
import { KEPT_MS } from './watched-times.ts'
import type { WatchedTimes } from './watched-times.ts'

export interface IncidentsOptions {
  readonly cluster: string
  readonly board: HealthBoard
  /** What the cluster says of its members, as far as the console itself may read it. */
  readonly reported: ReportedMembers
  /** Reads what the cluster says again. */
  readonly lookAgain: () => void
  readonly watched: Pick<WatchedTimes, 'start' | 'stop' | 'known' | 'pause' | 'since'>
  readonly store: IncidentStore
  readonly clock: Clock
  readonly random: Pick<Random, 'bytes'>
  readonly logger: Logger
}

export interface IncidentPage {
  readonly incidents: IncidentSummary[]
  readonly more: boolean
  readonly doubtsHidden: number
}

interface LateRequest {
  readonly end: RequestEnd
  /** Monotonic. */
  readonly at: number
}

/**
 * The incidents of one cluster: follows what is believed of its members, what requests of people met, and what the
 * cluster says, and keeps each departure from healthy with all of that. What belongs together is decided in incident.ts.
 */
export class Incidents {
  readonly #options: IncidentsOptions
  readonly #changes = new Subscribable<string>()
  readonly #behind: WriteBehind<KeptIncident>
  /** By member: those that are not over. */
  readonly #open = new Map<string, KeptIncident>()
  /** By member: those of an earlier run of which it is not known yet whether they go on. */
  readonly #interrupted = new Map<string, KeptIncident>()
  /** By member: those that are over, while the cluster still calls the member Offline. */
  readonly #awaited = new Map<string, { readonly incident: KeptIncident; readonly until: number }>()
  readonly #cancelQuiet = new Map<string, () => void>()
  /** Requests of the last seconds that met a silent member: what casts the doubt comes before the doubt. */
  #late: LateRequest[] = []
  /** Open ones that were changed by requests alone since they were last written and told. */
  readonly #counted = new Set<string>()
  #ends: (() => void)[] = []
  #cancelTick: () => void = () => {}
  #ticks = 0
  #loaded = false
  #startedAt = 0
  #stopped = false

  constructor(options: IncidentsOptions) {
    this.#options = options
    this.#behind = new WriteBehind<KeptIncident>({
      keyOf: ({ id }) => id,
      write: (incidents) => options.store.write(options.cluster, incidents),
      most: MOST_WAITING,
      logger: options.logger,
      what: 'an incident',
    })
  }

  /** Reads what an earlier run left open, then follows what happens. Nothing has to wait for it; never rejects. */
  async start(): Promise<void> {
    this.#startedAt = this.#options.clock.monotonic()
    this.#planTick()
    await this.#load()
  }

  /** Stops, with everything written that can be. What is open stays so: the next run finds out what became of it. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const end of this.#ends.splice(0)) end()
    for (const cancel of this.#cancelQuiet.values()) cancel()
    this.#cancelTick()
    for (const incident of this.#open.values()) this.#behind.put(incident)
    await this.#behind.flush()
    await this.#options.watched.stop()
  }

  /** Hears the id of every incident that begins, changes or ends; of one whose counts grow, every two seconds. */
  subscribe(listener: (id: string) => void): () => void {
    return this.#changes.subscribe(listener)
  }

  /** Newest first. Rejects while the database cannot be read. */
  async list(filter: IncidentFilter, limit: number): Promise<IncidentPage> {
    const { store, cluster } = this.#options
    await this.#behind.flush()
    const kept = await store.list(cluster, filter, limit + 1)
    const oldest = kept.length > limit ? Date.parse(kept.at(-1)?.beganAt ?? '') : -Infinity
    const found = new Map(kept.map((incident) => [incident.id, incident]))
    for (const incident of this.#newest()) {
      if (matches(incident, filter) && Date.parse(incident.beganAt) >= oldest) found.set(incident.id, incident)
    }
    const all = [...found.values()].toSorted((a, b) => Date.parse(b.beganAt) - Date.parse(a.beganAt))
    const shown = all.slice(0, limit)
    const more = all.length > limit
    const from = more ? Date.parse(shown.at(-1)?.beganAt ?? '') : 0
    const doubtsHidden = filter.doubts ? 0 : await store.countDoubts(cluster, filter, from)
    return { incidents: shown.map((incident) => this.#summary(incident)), more, doubtsHidden }
  }

  /** Those that are not over, newest first; of one member where it is named. */
  open(member: string | null): IncidentSummary[] {
    return this.#newest()
      .filter((incident) => incident.end === null && (member === null || incident.member === member))
      .toSorted((a, b) => Date.parse(b.beganAt) - Date.parse(a.beganAt))
      .map((incident) => this.#summary(incident))
  }

  /** Since when incidents are kept here: when the console first watched, or 400 days ago. */
  get since(): number {
    const { watched, clock } = this.#options
    return Math.max(watched.since, clock.now() - KEPT_MS)
  }

  /** Null where there is none. Rejects while the database cannot be read. */
  async get(id: string): Promise<Incident | null> {
    const { store, cluster } = this.#options
    const newest = this.#newest().find((incident) => incident.id === id)
    const found = newest ?? (await store.get(cluster, id))
    return found === null ? null : this.#view(found)
  }

  /** How a request ended. Those of the console itself, and lists, which are answered from what is known, count for nobody. */
  count(end: RequestEnd): void {
    if (end.class === 'list' || end.scope === 'console' || end.scope === 'anonymous') return
    for (const [member, incident] of this.#open) {
      this.#open.set(member, withRequest(incident, end))
      this.#counted.add(member)
    }
    if (end.silent.length === 0 && end.tookMs <= LATE_MS) return
    const at = this.#options.clock.monotonic()
    this.#late = [...this.#late.filter((late) => at - late.at < REMEMBERED_MS), { end, at }].slice(-MOST_REMEMBERED)
  }

  #summary(incident: KeptIncident): IncidentSummary {
    const { steps: _, stepsLeftOut: __, ...summary } = this.#view(incident)
    return summary
  }

  #view(incident: KeptIncident): Incident {
    // Of one that the console has not found out about yet, nothing is known since it was away.
    const isInterrupted = this.#interrupted.get(incident.member)?.id === incident.id
    return viewOf(incident, isInterrupted ? Date.parse(incident.countedUntil) : this.#options.clock.now())
  }

  /** What is newer than the database. */
  #newest(): readonly KeptIncident[] {
    const awaited = [...this.#awaited.values()].map(({ incident }) => incident)
    const newest = [...awaited, ...this.#behind.waiting, ...this.#interrupted.values(), ...this.#open.values()]
    return [...new Map(newest.map((incident) => [incident.id, incident])).values()]
  }

  async #load(): Promise<void> {
    const { watched, store, cluster, logger } = this.#options
    await watched.start()
    try {
      const open = await store.open(cluster)
      if (this.#loaded || this.#stopped || !watched.known) return
      this.#loaded = true
      for (const incident of open) this.#interrupted.set(incident.member, incident)
      this.#follow()
    } catch (error) {
      logger.warn({ err: error }, 'the incidents of earlier runs could not be read')
    }
  }

  #follow(): void {
    const { board, reported } = this.#options
    this.#ends = [
      board.subscribe((change) => this.#boardChanged(change)),
      reported.subscribe(() => this.#compareReported()),
    ]
    for (const [member, health] of board.snapshot()) this.#seen(member, null, health)
    this.#compareReported()
  }

  #boardChanged(change: HealthChange): void {
    if (change.kind === 'cluster') {
      if (change.panic) this.#panicked()
      return
    }
    const { member, before, after, renamedTo } = change
    if (after !== null) this.#seen(member, before, after)
    else if (renamedTo === undefined) this.#left(member)
    else this.#rename(member, renamedTo)
  }

  /** Each that is out now was out together with most of the others. */
  #panicked(): void {
    for (const incident of this.#open.values()) {
      if (incident.quietSince === null && !incident.panic) this.#keepSaid({ ...incident, panic: true })
    }
  }

  #seen(member: string, before: Health | null, { standing, symptom, failure, answeredAt }: Health): void {
    if (standing === 'unknown') return
    const now = this.#options.clock.now()
    const believed = { standing, symptom, message: failure?.message ?? null }
    this.#resume(member, believed)
    const open = this.#open.get(member)
    if (open !== undefined) {
      const next = continueIncident(open, believed, now)
      if (next !== open) this.#keep(next)
    } else if (hasDeparted(standing)) {
      const beginning = before === null || before.standing === 'unknown' ? 'found' : 'seen'
      this.#begin(member, beginning, believed, answeredAt)
    }
  }

  #begin(member: string, beginning: Incident['beginning'], believed: Believed, lastAnswerAt: number | null): void {
    const { board, clock, random, reported } = this.#options
    const status = reported.latest?.rows.get(member)?.status ?? null
    const id = random.bytes(8).toString('hex')
    const now = clock.now()
    const { panic } = board
    const begun = beginIncident({ id, member, beginning, believed, lastAnswerAt, reported: status, panic, now })
    const since = clock.monotonic() - REMEMBERED_MS
    const met = this.#late.filter(({ end, at }) => at >= since && hadToDoWith(end, member))
    this.#awaited.delete(member)
    this.#keep(met.reduce((incident, { end }) => withRequest(incident, end), begun))
  }

  /** The first that is known of the member since the console was away. */
  #resume(member: string, believed: Believed): void {
    const interrupted = this.#interrupted.get(member)
    if (interrupted === undefined) return
    this.#interrupted.delete(member)
    const { clock, watched } = this.#options
    const now = clock.now()
    const pause = watched.pause ?? { from: now, to: now }
    const { kind, incident } = resumeIncident(interrupted, pause, believed, now)
    if (kind === 'goes-on') this.#keep(incident)
    else this.#over(incident)
  }

  #left(member: string): void {
    const open = this.#open.get(member) ?? this.#interrupted.get(member)
    this.#interrupted.delete(member)
    this.#awaited.delete(member)
    if (open !== undefined) this.#over(endByLeaving(open, this.#options.clock.now()))
  }

  #rename(from: string, to: string): void {
    const open = this.#open.get(from)
    if (open === undefined) return
    this.#letGo(from)
    this.#keep({ ...open, member: to })
  }

  /** Takes an open incident as it is now, and ends it when it has been quiet for long enough. */
  #keep(incident: KeptIncident): void {
    const { member, id, quietSince } = incident
    this.#open.set(member, incident)
    this.#cancelQuiet.get(member)?.()
    this.#cancelQuiet.delete(member)
    if (quietSince !== null) {
      const cancel = this.#options.clock.after(QUIET_MS, () => this.#quietForLong(member))
      this.#cancelQuiet.set(member, cancel)
    }
    this.#write(incident)
    this.#changes.publish(id)
  }

  #quietForLong(member: string): void {
    const open = this.#open.get(member)
    if (open?.quietSince !== null && open !== undefined) this.#over(endIncident(open))
  }

  #over(incident: KeptIncident): void {
    const { member, id, end } = incident
    this.#letGo(member)
    if (awaitsCluster(incident) && end?.how === 'recovered') {
      this.#awaited.set(member, { incident, until: this.#options.clock.monotonic() + AWAITED_MS })
    }
    this.#write(incident)
    this.#changes.publish(id)
  }

  #letGo(member: string): void {
    this.#open.delete(member)
    this.#counted.delete(member)
    this.#cancelQuiet.get(member)?.()
    this.#cancelQuiet.delete(member)
  }

  #compareReported(): void {
    const now = this.#options.clock.now()
    for (const [member, { status }] of this.#options.reported.latest?.rows ?? []) {
      const open = this.#open.get(member)
      if (open !== undefined) {
        const next = noteReported(open, status, now)
        if (next !== open) this.#keepSaid(next)
      }
      const awaited = this.#awaited.get(member)
      if (awaited === undefined) continue
      const next = noteReported(awaited.incident, status, now)
      if (next === awaited.incident) continue
      this.#awaited.delete(member)
      this.#write(next)
      this.#changes.publish(next.id)
    }
  }

  /** What the cluster says changes nothing of when the incident is over. */
  #keepSaid(incident: KeptIncident): void {
    this.#open.set(incident.member, incident)
    this.#write(incident)
    this.#changes.publish(incident.id)
  }

  #write(incident: KeptIncident): void {
    this.#behind.put(incident)
    void this.#behind.flush()
  }

  #planTick(): void {
    this.#cancelTick = this.#options.clock.after(TICK_MS, () => {
      this.#planTick()
      this.#tick()
    })
  }

  #tick(): void {
    this.#ticks += 1
    if (!this.#loaded && this.#ticks % TICKS_UNTIL_LOADED === 0) void this.#load()
    for (const member of this.#counted) {
      const incident = this.#open.get(member)
      if (incident !== undefined) this.#keepSaid(incident)
    }
    this.#counted.clear()
    void this.#behind.flush()
    const now = this.#options.clock.monotonic()
    for (const [member, { until }] of this.#awaited) if (now > until) this.#awaited.delete(member)
    if (this.#mayHearSoon()) this.#options.lookAgain()
    if (now - this.#startedAt > ABSENT_MS) for (const member of this.#absent()) this.#left(member)
    if (this.#ticks % TICKS_UNTIL_PRUNED === 1) void this.#prune()
  }

  /** The list of members is read every ten seconds; while the cluster is about to change its mind, more often. */
  #mayHearSoon(): boolean {
    const now = this.#options.clock.now()
    const lately = (at: string) => now - Date.parse(at) < LOOK_CLOSER_MS
    const notNoticed = [...this.#open.values()].some(
      ({ quietSince, beganAt, cluster, worst }) =>
        quietSince === null && worst === 'ejected' && cluster.offlineAt === null && lately(beganAt),
    )
    const notHeard = [...this.#open.values()].some(
      (incident) => incident.quietSince !== null && awaitsCluster(incident) && lately(incident.quietSince),
    )
    return notNoticed || notHeard || this.#awaited.size > 0
  }

  /** Members of earlier incidents that are no longer part of the cluster. */
  #absent(): readonly string[] {
    if (this.#interrupted.size === 0) return []
    const present = this.#options.board.snapshot()
    return [...this.#interrupted.keys()].filter((member) => !present.has(member))
  }

  async #prune(): Promise<void> {
    const { store, cluster, clock, logger } = this.#options
    try {
      await store.prune(cluster, clock.now() - KEPT_MS, MOST_KEPT)
    } catch (error) {
      logger.warn({ err: error }, 'old incidents could not be removed')
    }
  }
}

const TICK_MS = 2_000
const TICKS_UNTIL_LOADED = 5
const TICKS_UNTIL_PRUNED = 1_800
/** For how long after its beginning, or its end, the cluster is asked more often what it says. */
const LOOK_CLOSER_MS = 120_000
const AWAITED_MS = 120_000
/** A request may wait for so long at a member before that is known to be silent. */
const REMEMBERED_MS = 5_000
const LATE_MS = 300
const MOST_REMEMBERED = 500
/** So long after the start, a member that is not on the board is none. */
const ABSENT_MS = 600_000
const MOST_WAITING = 1_000
/** Of one cluster. At two to ten kilobytes each, 200 MB at the very most. */
const MOST_KEPT = 20_000

function hadToDoWith({ silent, via }: RequestEnd, member: string): boolean {
  return via === member || silent.includes(member)
}

function withRequest(incident: KeptIncident, { via, silent, tookMs }: RequestEnd): KeptIncident {
  const { member } = incident
  return noteRequest(incident, {
    answered: via !== null,
    silent: silent.includes(member),
    via: via === member,
    tookMs,
  })
}

function matches(incident: KeptIncident, { member, doubts, before }: IncidentFilter): boolean {
  const isEarlier = before === null || Date.parse(incident.beganAt) < before
  return isEarlier && (member === null || incident.member === member) && (doubts || !isDoubt(incident))
}
