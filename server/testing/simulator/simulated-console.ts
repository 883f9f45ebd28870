import { endpoint } from '@malleus/shared/api/endpoint.ts'
import type { LiveEvent } from '@malleus/shared/api/live.ts'
import { z } from 'zod'
import { ClusterWatch } from '../../src/app/cluster-watch.ts'
import type { AuditLog } from '../../src/audit/audit-log.ts'
import { openAuditLog } from '../../src/audit/audit-log.ts'
import { MemberDirectory } from '../../src/clusters/member-directory.ts'
import { Trust } from '../../src/clusters/trust.ts'
import type { FeedFact } from '../../src/events/event-feed.ts'
import type { GatewaySettings } from '../../src/gateway/gateway-settings.ts'
import { ClusterGateway } from '../../src/gateway/gateway.ts'
import { OutcomeUnknown } from '../../src/gateway/member-error.ts'
import type { ReadRequest } from '../../src/gateway/request.ts'
import type { Scope } from '../../src/gateway/scope.ts'
import { HealthBoard } from '../../src/health/health-board.ts'
import type { HealthSettings } from '../../src/health/health-settings.ts'
import type { Route } from '../../src/http/route.ts'
import { route } from '../../src/http/route.ts'
import { silentLogger } from '../../src/lib/logger.ts'
import type { LiveStream } from '../../src/live/live-channel.ts'
import type { LiveListener } from '../../src/live/live-hub.ts'
import { LiveHub } from '../../src/live/live-hub.ts'
import type { IdempotencyKeys } from '../../src/mutations/idempotency.ts'
import { openIdempotencyKeys } from '../../src/mutations/idempotency.ts'
import type { Sighting, UnknownMutation, Verdict } from '../../src/mutations/reconciler.ts'
import { Reconciler } from '../../src/mutations/reconciler.ts'
import { KeptOperations } from '../../src/operations/kept-operations.ts'
import { LostOperations } from '../../src/operations/lost-operations.ts'
import { Prober } from '../../src/probes/prober.ts'
import { MemoryOperationStore } from '../memory-operation-store.ts'
import { clusterFingerprint } from './certificates.ts'
import { Chance } from './chance.ts'
import type { Mischief } from './mischief.ts'
import type { SimulatedCluster } from './simulated-cluster.ts'
import type { SimulatedHistory } from './simulated-history.ts'
import type { SimulatedKeyStore } from './simulated-key-store.ts'
import { SimulatedTransport } from './simulated-transport.ts'
import type { Trace } from './trace.ts'
import type { UpstreamLedger } from './upstream-ledger.ts'
import type { VirtualClock } from './virtual-clock.ts'
import { MortalClock } from './virtual-clock.ts'

export interface ConsoleWorld {
  readonly seed: number
  readonly clock: VirtualClock
  readonly trace: Trace
  readonly cluster: SimulatedCluster
  readonly mischief: Mischief
  readonly upstream: UpstreamLedger
  readonly history: SimulatedHistory
  readonly keys: SimulatedKeyStore
  readonly mode: 'bearer' | 'certificate'
  readonly settings: GatewaySettings
  readonly health: HealthSettings
  /** How long what became of a change is looked for; a minute in life. */
  readonly lookForMs: number
  /** Hears what the feed tells, before anybody else does. */
  readonly heard: (fact: FeedFact) => void
  readonly published: (console: SimulatedConsole, event: LiveEvent) => void
  readonly found: (thing: string, verdict: Verdict) => void
}

/** What a thing of the cluster answers when it is read. */
export const Thing = z.object({ path: z.string(), by: z.string(), changes: z.array(z.string()) })
export type Thing = z.infer<typeof Thing>

const params = '/clusters/:cluster/things/:thing'
const readThing = endpoint({ method: 'GET', path: params, summary: 'Reads a thing.', reply: Thing })
const changeThing = endpoint({
  method: 'PUT',
  path: params,
  summary: 'Changes a thing.',
  body: z.strictObject({ to: z.string() }),
  reply: z.object({ operation: z.string().nullable() }),
})

/** The shipped parts of the console, put together as the composition root does, on the simulated world. */
export class SimulatedConsole {
  readonly board: HealthBoard
  readonly gateway: ClusterGateway
  readonly watch: ClusterWatch
  readonly hub: LiveHub
  readonly audit: AuditLog
  readonly idempotency: IdempotencyKeys
  readonly clock: MortalClock
  readonly chance: Chance
  readonly routes: { readonly read: Route; readonly change: Route }
  /** Settles when it has been killed. */
  readonly gone: Promise<void>
  readonly transport: SimulatedTransport
  readonly #world: ConsoleWorld
  readonly #prober: Prober
  readonly #reconciler: Reconciler
  #die: () => void = () => {}
  #dead = false

  /** Use `startConsole`. */
  constructor(world: ConsoleWorld, number: number, clock: MortalClock, audit: AuditLog, idempotency: IdempotencyKeys) {
    const { cluster, mode, settings, trace, upstream, mischief } = world
    const chance = new Chance(world.seed, `console ${number}`)
    const random = chance
    this.#world = world
    this.clock = clock
    this.chance = chance
    this.audit = audit
    this.idempotency = idempotency
    this.gone = new Promise((resolve) => (this.#die = resolve))
    const tools = { clock, random, logger: silentLogger }
    const trust = new Trust({
      kind: 'fingerprints',
      pins: [{ fingerprint: clusterFingerprint, position: 'current', from: 'simulator' }],
    })
    const directory = new MemberDirectory([])
    directory.replace(
      cluster.members.map(({ name, endpoint }) => ({ name, endpoint, groups: [], contacted: true, why: null })),
    )
    this.board = new HealthBoard({ clock, random, settings: world.health })
    this.board.retain(directory.list().map(({ name }) => name))
    const { limits } = settings
    const network = new Chance(world.seed, `network ${number}`)
    this.transport = new SimulatedTransport({
      cluster,
      trust,
      limits,
      mischief,
      clock,
      chance: network,
      trace,
      upstream,
    })
    this.gateway = new ClusterGateway({
      directory,
      board: this.board,
      transport: this.transport,
      settings,
      clock,
      random,
      bearerUsable: (member) => this.board.current(member).evidence.authorized,
      observeDatabase: false,
    })
    const read = this.gateway.read.bind(this.gateway)
    this.gateway.read = <Parsed>(request: ReadRequest<Parsed>) => {
      upstream.read()
      return read(request)
    }
    this.#prober = new Prober({ transport: this.transport, board: this.board, mode, deep: true, clock, random })
    const parts = { cluster: { name: 'sim', directory, board: this.board, gateway: this.gateway } }
    this.watch = new ClusterWatch({
      parts,
      scope: { kind: 'console' },
      projects: 'all',
      starters: { of: () => null },
      work: {
        kept: new KeptOperations({ cluster: 'sim', store: new MemoryOperationStore(), ...tools }),
        lost: new LostOperations(tools),
        authorityOf: () => 'console',
      },
      mask: () => 'masked',
      tools,
    })
    this.watch.feed.subscribe(world.heard)
    this.hub = new LiveHub({ answers: () => ({}), clock, random })
    this.#reconciler = new Reconciler({
      witnesses: [{ name: 'the thing itself', look: (mutation) => this.#look(mutation) }],
      publish: ({ object }, verdict) => world.found(object, verdict),
      clock,
      logger: silentLogger,
      everyMs: 1_000,
      forMs: world.lookForMs,
    })
    this.routes = { read: this.#readRoute(), change: this.#changeRoute() }
    this.board.subscribe((change) => {
      if (change.kind === 'member')
        trace.note(`${change.member} is ${change.after?.standing} ${change.after?.symptom ?? ''}`)
    })
  }

  begin(): void {
    this.#prober.follow(
      [...this.#world.cluster.members].map(({ name, endpoint }) => ({ name, endpoint, contacted: true })),
    )
    this.#prober.start()
    this.watch.start()
  }

  get isDead(): boolean {
    return this.#dead
  }

  /** Ends as a killed process does: nothing of it goes on, and its connections are closed by the kernel. */
  kill(): void {
    this.#dead = true
    this.clock.die()
    this.transport.die()
    this.#world.upstream.beginAnew()
    this.#die()
  }

  scope(): Scope {
    if (this.#world.mode === 'certificate') return { kind: 'certificate', key: 'all', projects: 'all' }
    return { kind: 'bearer', iss: 'https://idp.example.net', sub: 'jo', accessToken: () => Promise.resolve('token') }
  }

  /** A browser begins to follow, or goes on where it was. */
  openLive(stream: LiveStream, lastEventId: string | null): void {
    const listener: LiveListener = {
      key: 'jo',
      clusters: ['sim'],
      seesAudit: () => true,
      session: 'one',
      recheck: () => Promise.resolve('stands'),
      watch: (publish) => {
        const stop = this.watch.subscribe((event) => {
          this.#world.published(this, event)
          publish(event)
        })
        return { stop }
      },
    }
    this.hub.open(listener, stream, lastEventId)
  }

  #readRoute(): Route {
    return route({
      endpoint: readThing,
      action: 'member.read',
      class: 'read',
      handler: async (context, { params }) => {
        const answer = await this.gateway.read({
          class: 'read',
          scope: await context.scope('sim'),
          target: context.target,
          path: `/things/${params.thing}`,
          query: { n: context.requestId },
          parse: Thing,
          signal: context.signal,
        })
        context.answeredBy(answer)
        return answer.value
      },
    })
  }

  #changeRoute(): Route {
    return route({
      endpoint: changeThing,
      action: 'member.evacuate',
      class: 'mutate',
      handler: async (context, { params }) => {
        const sentAt = this.clock.now()
        try {
          const answer = await this.gateway.write({
            scope: await context.scope('sim'),
            target: context.target,
            method: 'PUT',
            path: `/things/${params.thing}`,
            body: { request: context.requestId },
            parse: z.unknown(),
            signal: context.signal,
          })
          context.answeredBy(answer, answer.operation)
          return { operation: answer.operation }
        } catch (error) {
          if (error instanceof OutcomeUnknown) {
            const { requestId } = context
            const mutation = { requestId, cluster: 'sim', action: 'member.evacuate', object: params.thing, sentAt }
            this.#reconciler.watch(mutation)
          }
          throw error
        }
      },
    })
  }

  /**
   * A change that is there was made. One that is not there may still come from a member that was stopped with the
   * request unread; only when all are well, and have been for a moment, can it no longer come.
   */
  async #look({ object }: UnknownMutation): Promise<Sighting> {
    const calmSince = this.clock.now() - 1_500
    const { value } = await this.gateway.read({
      class: 'read',
      scope: { kind: 'console' },
      target: { kind: 'any' },
      path: `/things/${object}`,
      query: { look: this.chance.uuid() },
      parse: Thing,
    })
    if (value.changes.length > 0) return { kind: 'applied', operation: null }
    const settled = [...this.board.snapshot().values()].every(
      ({ standing, since }) => standing === 'healthy' && since < calmSince,
    )
    return { kind: settled ? 'not-applied' : 'nothing' }
  }
}

/** Starts a console on what the one before has left. Rejects, as the real one does, while nothing can be written. */
export async function startConsole(world: ConsoleWorld, number: number): Promise<SimulatedConsole> {
  const clock = new MortalClock(world.clock)
  const random = new Chance(world.seed, `start ${number}`)
  let console: SimulatedConsole | null = null
  const isWanted = (): boolean => console?.isDead !== true
  const tools = { clock, random, logger: silentLogger }
  const store = world.history.storeFor(isWanted)
  const audit = await openAuditLog({ store, ...tools, intentDeadlineMs: 1_500, mostWaiting: 200 })
  const hmacKey = Buffer.alloc(32)
  const idempotency = await openIdempotencyKeys({ store: world.keys.storeFor(isWanted), hmacKey, ...tools })
  console = new SimulatedConsole(world, number, clock, audit, idempotency)
  console.begin()
  return console
}
