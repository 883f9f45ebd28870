// Every way into one cluster, watched from where this console stands. It depends on none of them: what it finds is for
// people, and the gateway goes its own way to each server.

import type { AccessPath, PathKind } from '@malleus/shared/api/access-paths.ts'
import type { FrontKind } from '@malleus/shared/api/fronts.ts'
import type { IncidentSummary } from '@malleus/shared/api/incidents.ts'
import type { Clock } from '../lib/clock.ts'
import { instant } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'
import { Subscribable } from '../lib/subscribable.ts'
import { WriteBehind } from '../lib/write-behind.ts'
import type { ClusterFacts, ConfiguredPath, Visit } from './access-path.ts'
import { memberAt } from './access-path.ts'
import { failureCosts } from './failure-costs.ts'
import type { KeptPathIncident } from './path-incident.ts'
import { beginPathIncident, continuePathIncident, viewOf, withClient, withWaiting } from './path-incident.ts'
import type { PathIncidentStore } from './path-incident-store.ts'
import { PathWatch, targetOf } from './path-watch.ts'
import { VisitBudget } from './visit-budget.ts'
import type { Visitor } from './visitor.ts'
import type { Client } from './waiting-clients.ts'

export interface AccessPathsOptions {
  readonly cluster: string
  readonly paths: readonly ConfiguredPath[]
  readonly visitor: Visitor
  readonly facts: () => ClusterFacts
  readonly mayVisit: (address: string) => boolean
  /** Those of servers that are not over. */
  readonly openIncidents: () => readonly IncidentSummary[]
  /** One that is over; null where it is not known. */
  readonly incident: (id: string) => Promise<IncidentSummary | null>
  readonly store: PathIncidentStore
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export interface PathVisit {
  readonly path: ConfiguredPath
  readonly visit: Visit
}

/** Of all paths of a cluster together. */
const mostKept = 1_000
/** On the page, of each path. */
const mostShown = 20
const keptForMs = 400 * 86_400_000
const tickMs = 2_000

export class AccessPaths {
  /** Hears every visit. */
  readonly visits = new Subscribable<PathVisit>()
  readonly #options: AccessPathsOptions
  readonly #changes = new Subscribable<void>()
  readonly #watches: readonly PathWatch[]
  readonly #behind: WriteBehind<KeptPathIncident>
  /** Newest first. */
  #kept: KeptPathIncident[] = []
  #cancelTick: () => void = () => {}

  constructor(options: AccessPathsOptions) {
    const { cluster, store, logger } = options
    this.#options = options
    const budget = new VisitBudget(options.clock)
    this.#watches = options.paths.map(
      (path) =>
        new PathWatch({
          ...options,
          path,
          budget,
          onChange: () => this.#changes.publish(),
          onClient: (client) => this.#count(path, client),
          onVisit: (visit) => this.visits.publish({ path, visit }),
        }),
    )
    this.#behind = new WriteBehind({
      keyOf: ({ path, incident }) => JSON.stringify([path, incident]),
      write: (incidents) => store.write(cluster, incidents),
      most: mostKept,
      logger,
      what: 'what incidents did to access paths',
    })
  }

  start(): void {
    for (const watch of this.#watches) watch.start()
    if (this.#watches.length === 0) return
    void this.#load()
    this.#planTick()
  }

  async stop(): Promise<void> {
    for (const watch of this.#watches) watch.stop()
    this.#cancelTick()
    await this.#behind.flush()
  }

  /** Hears when what is believed of a path, or of an incident on it, is another thing than before. */
  subscribe(listener: () => void): () => void {
    return this.#changes.subscribe(listener)
  }

  /** Something is different about a server: each path is visited now, with as many clients as it takes to see it. */
  hurry(): void {
    this.#follow()
    for (const watch of this.#watches) watch.hurry()
  }

  list(): readonly AccessPath[] {
    const facts = this.#options.facts()
    return this.#watches.map((watch) => this.#view(watch, facts))
  }

  #view(watch: PathWatch, facts: ClusterFacts): AccessPath {
    const { path, evidence, probedAt } = watch
    const incidents = this.#kept
      .filter((kept) => kept.path === path.name)
      .map((kept) => withWaiting(kept, watch.longestWaitSince(Date.parse(kept.faultAt))))
    return {
      name: path.name,
      kind: path.kind,
      target: targetOf(path),
      ...watch.judge(),
      probedAt: probedAt === null ? null : instant(probedAt),
      records:
        evidence.records?.map(({ address, ttlSeconds }) => ({
          address,
          ttlSeconds,
          member: path.kind === 'console' ? null : (memberAt(address, facts)?.name ?? null),
          reason: evidence.forbidden.includes(address) ? 'This console does not contact it ("probeNetworks").' : null,
        })) ?? null,
      firstAnswer: { ...watch.firstAnswer, costs: failureCosts(path.kind, incidents) },
      incidents: incidents.slice(0, mostShown).map(viewOf),
      fronts: [...frontsFor[path.kind]],
    }
  }

  async #load(): Promise<void> {
    const { store, cluster, clock, logger } = this.#options
    try {
      await store.prune(cluster, clock.now() - keptForMs)
      const kept = await store.latest(cluster, mostKept)
      const newer = new Set(this.#kept.map(keyOf))
      this.#kept = [...this.#kept, ...kept.filter((one) => !newer.has(keyOf(one)))]
      this.#changes.publish()
    } catch (error) {
      logger.warn({ err: error }, 'what incidents did to access paths could not be read')
    }
  }

  #planTick(): void {
    this.#cancelTick = this.#options.clock.after(tickMs, () => {
      this.#planTick()
      this.#follow()
      void this.#behind.flush()
    })
  }

  /** Takes up incidents that began, and learns what became of those that were not over. */
  #follow(): void {
    const open = this.#options.openIncidents()
    for (const incident of open) {
      for (const { path } of this.#watches) this.#take(path, incident)
    }
    const stillOpen = new Set(open.map(({ id }) => id))
    for (const kept of this.#kept) {
      if (kept.endedAt === null && !stillOpen.has(kept.incident)) void this.#finish(kept)
    }
  }

  #take(path: ConfiguredPath, incident: IncidentSummary): void {
    const at = this.#kept.findIndex((kept) => kept.path === path.name && kept.incident === incident.id)
    const before = this.#kept[at]
    if (before !== undefined) {
      const now = continuePathIncident(before, incident)
      if (now !== before) this.#keep(now)
      return
    }
    const isOut = incident.worst === 'ejected' || incident.worst === 'untrusted'
    if (!isOut || incident.quietSince !== null || !this.#isOn(path, incident.member)) return
    const begun = beginPathIncident(path.name, incident)
    const watch = this.#watches.find((each) => each.path === path)
    this.#keep((watch?.clientsSince(Date.parse(begun.faultAt)) ?? []).reduce(withClient, begun))
  }

  /** Whether clients could meet the server there. */
  #isOn(path: ConfiguredPath, member: string): boolean {
    const watch = this.#watches.find((each) => each.path === path)
    if (path.kind === 'console') return true
    return watch?.judge().servers.some(({ name, place }) => name === member && place === 'on') ?? false
  }

  async #finish(kept: KeptPathIncident): Promise<void> {
    const found = await this.#options.incident(kept.incident).catch(() => undefined)
    if (found === undefined) return
    const now = this.#kept.find((one) => keyOf(one) === keyOf(kept))
    if (now === undefined || now.endedAt !== null) return
    const end = found === null ? instant(this.#options.clock.now()) : null
    this.#keep(found === null ? { ...now, endedAt: end } : continuePathIncident(now, found))
  }

  #count(path: ConfiguredPath, client: Client): void {
    for (const kept of this.#kept.slice(0, mostShown)) {
      if (kept.path !== path.name) continue
      const now = withClient(kept, client)
      if (now !== kept) this.#keep(now)
    }
  }

  #keep(incident: KeptPathIncident): void {
    const at = this.#kept.findIndex((one) => keyOf(one) === keyOf(incident))
    if (at === -1) this.#kept = [incident, ...this.#kept].slice(0, mostKept)
    else this.#kept[at] = incident
    this.#behind.put(incident)
    this.#changes.publish()
  }
}

function keyOf({ path, incident }: KeptPathIncident): string {
  return JSON.stringify([path, incident])
}

/** What can be set up for such a path. */
const frontsFor: Readonly<Record<PathKind, readonly FrontKind[]>> = {
  dns: ['dns', 'haproxy'],
  'load-balancer': ['haproxy', 'haproxy-tls', 'nginx'],
  'floating-ip': ['keepalived', 'frr-vrrp'],
  ecmp: ['frr-bgp', 'bird-bgp'],
  member: ['dns', 'haproxy'],
  local: [],
  console: [],
}
