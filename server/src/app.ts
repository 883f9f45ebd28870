// The composition root: builds each part once, by hand; with the files of app/, it is the only place that knows them
// all. It listens to nothing: main.ts does.

import type { Server } from 'node:http'
import { createAlerts } from './app/alert-sources.ts'
import { authorityOf } from './app/authority.ts'
import { createClusterIngest, steerIngest } from './app/cluster-ingest.ts'
import type { ClusterParts, Tools } from './app/cluster-parts.ts'
import { createPaths } from './app/cluster-paths.ts'
import { createClusterParts } from './app/cluster-parts.ts'
import { createClusterCertificates } from './app/cluster-certificates.ts'
import { createAllAcme } from './app/cluster-acme.ts'
import { ClusterRecords } from './app/cluster-records.ts'
import type { ClusterRooms } from './app/cluster-rooms.ts'
import { createClusterTrust } from './app/cluster-trust.ts'
import { createClusterRooms } from './app/cluster-rooms.ts'
import { maskOf } from './app/cluster-settings.ts'
import { ClusterWatch } from './app/cluster-watch.ts'
import { openClusterWork } from './app/cluster-work.ts'
import { ConsoleMetrics } from './app/console-metrics.ts'
import { listenForConsole } from './app/console-listener.ts'
import { counted } from './app/counted.ts'
import { createDoor } from './app/door.ts'
import { measurePaths } from './app/measure-paths.ts'
import { measure, measureGaps } from './app/metrics.ts'
import { OutcomeFinder } from './app/outcome-finder.ts'
import { openOwnIdentity } from './app/own-identity.ts'
import type { Follower } from './app/live-view.ts'
import { liveViewOf } from './app/live-view.ts'
import { createRoutes } from './app/routes.ts'
import { createSignIn } from './app/sign-in.ts'
import type { Storage } from './app/storage.ts'
import { openStorage } from './app/storage.ts'
import { Watches } from './app/watches.ts'
import { auditEntry } from './audit/record.ts'
import { DownloadTickets } from './downloads/download-tickets.ts'
import type { AuditEntry } from './audit/record.ts'
import { sqlitePinStore } from './certificates/pin-store.sqlite.ts'
import type { PinChange } from './certificates/trust-follow.ts'
import type { Config } from './config.ts'
import { sqliteKeptMembersStore } from './discovery/kept-members-store.sqlite.ts'
import type { Scope } from './gateway/scope.ts'
import type { ClusterIngest } from './ingest/cluster-ingest.ts'
import { Confirmations } from './ingest/confirmations.ts'
import type { DrainingTimes } from './http/draining.ts'
import { Draining } from './http/draining.ts'
import { createManagementServer } from './http/management.ts'
import { createHttpServer } from './http/server.ts'
import { LiveHub } from './live/live-hub.ts'
import { sqliteHealthHistoryStore } from './members/health-history-store.sqlite.ts'
import { Starters } from './operations/starters.ts'
import type { Policy } from './policy/policy.ts'
import { createPolicy } from './policy/policy.ts'

export interface App {
  /** The door in. */
  readonly server: Server
  /** The other listener, for those who run the console. */
  readonly management: Server
  /** Takes no new work and finishes what runs; resolves when the last connection has gone, after 28 s at most. */
  drain(): Promise<void>
  /** Ends everything, the history last, with all written that waited. */
  close(): Promise<void>
}

export interface AppOptions {
  readonly config: Config
  readonly tools: Tools
  /** Where the built pages are. */
  readonly siteFolder: string
  readonly version: string
}

/**
 * Builds the console and begins to watch its clusters. Neither the provider nor any member needs to answer for that.
 *
 * @throws KeysUnusable, CannotOpenDatabase: with a sentence for who starts it.
 */
export async function createApp({ config, tools, siteFolder, version }: AppOptions): Promise<App> {
  const { clock, random } = tools
  const metrics = new ConsoleMetrics(tools.logger)
  const storage = await openStorage(config, metrics, tools)
  const policy = createPolicy(
    config.grants,
    config.clusters.map(({ name }) => name),
  )
  const signIn = createSignIn(config, storage, policy, metrics, tools)
  /** What the console sees of each cluster with its own identity, where it has one. */
  const own = new Map<string, ClusterWatch>()
  const rooms = await createAllRooms(config, storage, own, metrics, tools)
  const roomsOf = (cluster: string): ClusterRooms => {
    const found = rooms.get(cluster)
    if (found === undefined)
      throw new TypeError(`there is no cluster "${cluster}", and the door lets in only known ones`)
    return found
  }

  const hub = new LiveHub({ answers: (cluster) => answersOf(roomsOf(cluster).parts), clock, random })
  const paths = createPaths({ config, rooms, database: storage.database, hub, tools })
  const starters = new Starters<AuditEntry>()
  const work = await openClusterWork(
    config.clusters.map(({ name }) => name),
    storage,
    starters,
    tools,
  )
  const watches = new Watches((cluster, scope) => {
    const { parts } = roomsOf(cluster)
    const watch = new ClusterWatch({
      parts,
      scope,
      projects: projectsOf(scope),
      starters,
      work: work.of(cluster),
      mask: maskOf(storage.keys.hmac),
      tools,
    })
    measureGaps(metrics, parts.cluster.name, watch)
    return watch
  }, clock)
  for (const [name, { parts }] of rooms) {
    if (parts.cluster.identity !== null) own.set(name, watches.hold(name, { kind: 'console' }).watch)
  }

  const acme = createAllAcme({ config, rooms, own, storage, hub, tools })
  const ingests = new Map(
    config.clusters.map((cluster) => {
      const { parts } = roomsOf(cluster.name)
      return [cluster.name, createClusterIngest(cluster, parts, own.get(cluster.name) ?? null, storage, tools)] as const
    }),
  )
  const ingestOf = (cluster: string): ClusterIngest => {
    const found = ingests.get(cluster)
    if (found === undefined) throw new TypeError(`there is no cluster "${cluster}"`)
    return found
  }

  const ending = createAlerts({ config, rooms, paths, own, hub, signIn, storage, metrics, tools })
  const confirmations = new Confirmations({
    history: storage.history,
    isFollowed: (cluster) => own.has(cluster),
    ...tools,
  })

  const finder = new OutcomeFinder({ rooms, own, history: storage.history, hub, metrics, tools })
  const draining = new Draining()
  const downloads = new DownloadTickets(tools)
  const routes = createRoutes({
    clock,
    downloads,
    policy,
    signIn,
    storage,
    rooms: roomsOf,
    watches,
    starters,
    paths,
    acme,
    alerts: ending.alerts,
    ingest: ingestOf,
    livePosition,
  })
    .map((row) => counted(row, (cluster) => rooms.get(cluster)?.parts.figures, metrics, clock))
    .map((row) => finder.watching(row))
  const door = await createDoor({
    config,
    version,
    storage,
    policy,
    signIn,
    hub,
    watches,
    rooms: roomsOf,
    routes,
    draining,
    metrics: metrics.door,
    siteFolder,
    downloads,
    tools,
  })
  const server = createHttpServer(door)
  const management = createManagementServer({
    notReady: () => whyNotReady(draining, storage.history),
    metrics: () => metrics.text(),
  })

  const ends = [
    measure(metrics, {
      rooms,
      watches,
      hub,
      ingests,
      version,
      history: storage.history,
      sessions: signIn.sessions,
      certificate: config.tls?.certificate ?? null,
      isReady: () => whyNotReady(draining, storage.history).length === 0,
      alerts: ending.alerts,
    }),
    storage.history.subscribe((record) => confirmations.hear(record)),
    measurePaths(metrics.instruments, paths.all),
    storage.history.subscribe(({ cluster, action }) => hub.publish({ kind: 'audit-appended', cluster, action })),
    // Their page comes in a moment, and what is heard of the cluster by then it need not read twice.
    signIn.pages.subscribe(({ session, clientAddress }) => {
      const scope = async (cluster: string) =>
        authorityOf(session, roomsOf(cluster).parts, signIn.sessions, policy, clientAddress)
      livePosition({ principal: session.principal, scope })
    }),
    signIn.sessions.subscribe(({ kind, sessionTag }) =>
      kind === 'renewed' ? hub.replaceSession(sessionTag) : hub.endSession(sessionTag),
    ),
  ]
  for (const [name, { parts, healthHistory, records, trust, certificates }] of rooms) {
    ends.push(certificates.subscribe(() => hub.publish({ kind: 'certificate-changed', cluster: name })))
    const ingest = ingestOf(name)
    ends.push(listenForConsole({ parts, watch: own.get(name) ?? null, ingest, hub, tools }))
    ends.push(steerIngest(ingest, parts))
    void ingest.start()
    ends.push(
      records.incidents.subscribe((incident) => hub.publish({ kind: 'incident-changed', cluster: name, incident })),
    )
    records.start()
    trust.start()
    certificates.start()
    parts.start()
    void healthHistory.start()
  }
  acme.start()
  paths.start()
  ending.start()
  return {
    server,
    management,
    drain: () => draining.drain(server, clock, () => hub.drain(), drainTimes(config)),
    close: async () => {
      for (const end of ends) end()
      hub.drain()
      await ending.stop()
      await paths.stop()
      finder.stop()
      confirmations.stop()
      acme.stop()
      watches.stop()
      for (const ingest of ingests.values()) await ingest.stop()
      await work.close()
      for (const { parts, healthHistory, records, trust, certificates } of rooms.values()) {
        trust.stop()
        certificates.stop()
        parts.stop()
        await records.stop()
        await healthHistory.stop()
      }
      await signIn.stop()
      await storage.close()
    },
  }

  function livePosition(follower: Follower): string | null {
    const view = liveViewOf({ policy, watches }, follower)
    return view.clusters.length === 0 ? null : hub.position(view)
  }

  /** In certificate mode, the console and not Incus keeps projects apart. */
  function projectsOf(scope: Scope): ReturnType<Policy['projectsOf']> {
    return scope.kind === 'certificate' ? scope.projects : 'all'
  }
}

async function createAllRooms(
  config: Config,
  storage: Storage,
  own: ReadonlyMap<string, ClusterWatch>,
  metrics: ConsoleMetrics,
  tools: Tools,
): Promise<ReadonlyMap<string, ClusterRooms>> {
  const { database, history } = storage
  const pins = sqlitePinStore(database)
  const keptMembers = sqliteKeptMembersStore(database)
  const strips = sqliteHealthHistoryStore(database)
  const rooms = new Map<string, ClusterRooms>()
  for (const cluster of config.clusters) {
    const onPinned = (what: PinChange, fingerprint: string) => {
      const entry = auditEntry({ action: `trust.${what}`, cluster: cluster.name, object: fingerprint })
      try {
        history.record(entry)
      } catch (error) {
        tools.logger.error({ err: error, ...entry }, 'a change of trust is missing in the access history')
      }
    }
    const counts = () => own.get(cluster.name)?.instances.counts() ?? null
    const identity = await openOwnIdentity(cluster, storage, tools)
    const parts = await createClusterParts(
      { ...cluster, identity: identity.inForce },
      config,
      pins,
      keptMembers,
      onPinned,
      metrics.gatewayWatch(cluster.name),
      tools,
    )
    const records = new ClusterRecords(parts, database, tools)
    const trust = createClusterTrust(parts, identity, storage, tools)
    const certificates = createClusterCertificates(cluster, parts, storage, tools)
    rooms.set(cluster.name, createClusterRooms(parts, strips, records, trust, certificates, counts, tools))
  }
  return rooms
}

/** Whoever stops the console waits 30 s; what is still open two seconds before is cut. */
function drainTimes({ limits }: Config): DrainingTimes {
  const graceMs = limits.drainGraceMs
  return { graceMs, mostMs: Math.max(28_000, graceMs + 5_000) }
}

/** Members and provider are no reason: a console that says what does not answer is what people need then. */
function whyNotReady(draining: Draining, history: Storage['history']): readonly string[] {
  return [
    ...(draining.phase === 'serving' ? [] : ['the console is stopping']),
    ...(history.isAvailable ? [] : ['the access history cannot be written']),
  ]
}

function answersOf({ cluster: { board } }: ClusterParts) {
  const views = [...board.snapshot().keys()].map((member) => {
    const { answerMs, answeredAt } = board.view(member)
    return [member, { answerMs, answeredAt }] as const
  })
  return Object.fromEntries(views)
}
