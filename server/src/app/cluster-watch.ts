import type { LiveEvent } from '@malleus/shared/api/live.ts'
import { badness, isAnswering } from '@malleus/shared/domain/health.ts'
import type { LifecycleEvent } from '@malleus/shared/incus/event.ts'
import type { FeedFact } from '../events/event-feed.ts'
import { EventFeed } from '../events/event-feed.ts'
import { EventTail } from '../events/event-tail.ts'
import type { Scope } from '../gateway/scope.ts'
import { silenceOf } from '../health/silence.ts'
import { instant } from '../lib/clock.ts'
import { Instances } from '../instances/instances.ts'
import { Subscribable } from '../lib/subscribable.ts'
import { OperationReader } from '../operations/operation-reader.ts'
import { Operations } from '../operations/operations.ts'
import type { Starters } from '../operations/starters.ts'
import type { ClusterParts, Tools } from './cluster-parts.ts'
import type { ClusterWork } from './cluster-work.ts'
import type { Mask } from '../secrets/mask.ts'
import { StreamRenewal } from './stream-renewal.ts'

/** Which projects somebody may see, where the console and not Incus has to see to that. */
export type VisibleProjects = 'all' | readonly string[]

export interface WatchOptions {
  readonly parts: { readonly cluster: Pick<ClusterParts['cluster'], 'name' | 'directory' | 'board' | 'gateway'> }
  readonly scope: Scope
  readonly projects: VisibleProjects
  readonly starters: Pick<Starters, 'of'>
  readonly work: ClusterWork
  /** Stands for a secret in an event. */
  readonly mask: Mask
  readonly tools: Tools
}

const eventQuery = { type: 'lifecycle,operation', 'all-projects': 'true' }

/** One authority's live view of one cluster: what happens in it, and its background work. */
export class ClusterWatch extends Subscribable<LiveEvent> {
  /** Who has just asked; a person's other session may have ended meanwhile. */
  scope: Scope
  readonly feed: EventFeed
  readonly operations: Operations
  readonly instances: Instances
  /** What happened lately, for those who look at it. */
  readonly events: EventTail
  readonly #options: WatchOptions
  readonly #ends: (() => void)[] = []
  readonly #renewal: StreamRenewal
  #databaseAvailable: boolean | null = null

  constructor(options: WatchOptions) {
    super((error) => options.tools.logger.error({ err: error }, 'a listener of a watch failed'))
    this.#options = options
    this.scope = options.scope
    const { parts, starters, tools } = options
    const { gateway, board, directory } = parts.cluster
    const scope = () => this.scope
    const isTold = () => this.feed.members.length > 0
    const reader = new OperationReader({ ...parts.cluster, scope, projects: options.projects, ...tools })
    this.#renewal = new StreamRenewal({ feed: () => this.feed, scope, clock: tools.clock })
    this.feed = new EventFeed({
      candidates: () => this.#candidates(),
      open: async (member, handlers, signal) => {
        await this.#renewal.opening(member)
        return gateway.openEvents(member, this.scope, eventQuery, handlers, signal)
      },
      ...tools,
    })
    this.events = new EventTail({
      feed: this.feed,
      isVisible: (project) => isVisible(options.projects, project),
      starter: (operation) => starters.of(operation),
      mask: options.mask,
      epoch: tools.random.bytes(9).toString('hex'),
      clock: tools.clock,
    })
    this.operations = new Operations({
      list: () => reader.list(),
      one: (id, location) => reader.one(id, location),
      isDone: (operation) => reader.isDone(operation),
      projects: () => reader.projects(),
      answers: (member) => member === null || badness(board.current(member).standing) < badness('suspect'),
      silence: (member) => silenceOf(board.current(member)),
      members: () => directory.list().map(({ name }) => name),
      loss: () => (board.databaseAvailable === false ? 'The cluster database does not answer.' : null),
      isTold,
      authority: options.work.authorityOf(options.scope),
      ...options.work,
      starters,
      ...tools,
    })
    this.instances = new Instances({
      ...parts.cluster,
      scope,
      projects: options.projects,
      isTold,
      ...tools,
    })
  }

  start(): void {
    const { board, name: cluster } = this.#options.parts.cluster
    this.#ends.push(
      this.feed.subscribe((fact) => this.#hear(fact)),
      this.operations.subscribe((operation) => this.publish({ kind: 'operation-changed', cluster, operation })),
      this.instances.subscribe(() => this.publish({ kind: 'instances-changed', cluster })),
      this.events.subscribe(() => this.publish({ kind: 'events-heard', cluster })),
      board.subscribe((change) => {
        if (change.kind === 'cluster') {
          this.#databaseChanged(change.databaseAvailable)
          return
        }
        if (isAnswering(change.after?.standing ?? 'ejected')) this.instances.answersAgain(change.member)
        if (isAnswering(change.after?.standing ?? 'ejected')) this.operations.answersAgain(change.member)
        if (mayListenTo(change.after?.standing ?? 'ejected')) return
        this.feed.abandon(change.member, `${change.member} does not answer`)
      }),
    )
    this.operations.start()
    this.feed.start()
    this.#renewal.start()
  }

  stop(): void {
    for (const end of this.#ends.splice(0)) end()
    this.#renewal.stop()
    this.feed.stop()
    this.events.stop()
    this.operations.stop()
    this.instances.stop()
  }

  /** What can be read, and how current everything is, hangs on the database. */
  #databaseChanged(isAvailable: boolean | null): void {
    if (isAvailable === this.#databaseAvailable) return
    this.#databaseAvailable = isAvailable
    if (isAvailable === true) {
      this.operations.doubt()
      this.instances.doubt()
    }
    this.publish({ kind: 'instances-changed', cluster: this.#options.parts.cluster.name })
  }

  #candidates(): readonly string[] {
    const { directory, board } = this.#options.parts.cluster
    const isPerson = this.scope.kind === 'bearer'
    return directory
      .list()
      .filter(({ contacted }) => contacted)
      .map(({ name }) => ({ name, health: board.current(name) }))
      .filter(({ health }) => mayListenTo(health.standing) && (!isPerson || health.evidence.authorized))
      .toSorted((a, b) => badness(a.health.standing) - badness(b.health.standing))
      .map(({ name }) => name)
  }

  #hear(fact: FeedFact): void {
    const cluster = this.#options.parts.cluster.name
    if (fact.kind === 'gap') {
      const [from, to] = [instant(fact.from), instant(fact.to)]
      this.publish({ kind: 'events-missed', cluster, from, to, reason: fact.reason })
      this.operations.doubt()
      this.instances.doubt()
      return
    }
    const { event } = fact
    if (!isVisible(this.#options.projects, event.project)) return
    if (event.type === 'operation') this.operations.hear(event)
    else {
      this.instances.hear(event)
      this.publish(resourceChanged(cluster, event, fact.at))
    }
  }
}

/** What belongs to no project belongs to the cluster, which everybody who has a role in it may see. */
function isVisible(projects: VisibleProjects, project: string): boolean {
  return projects === 'all' || project === '' || projects.includes(project)
}

function mayListenTo(standing: Parameters<typeof badness>[0]): boolean {
  return badness(standing) < badness('ejected')
}

function resourceChanged(cluster: string, { metadata, project, location }: LifecycleEvent, at: number): LiveEvent {
  return {
    kind: 'resource-changed',
    cluster,
    action: metadata.action,
    source: metadata.source,
    project: project === '' ? null : project,
    location: location === '' ? null : location,
    at: instant(at),
  }
}
