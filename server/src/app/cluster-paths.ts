import { isIP } from 'node:net'
import { IncidentSummary } from '@malleus/shared/api/incidents.ts'
import { AccessPaths } from '../access-paths/access-paths.ts'
import type { ClusterFacts, PathMember } from '../access-paths/access-path.ts'
import { mayProbe } from '../access-paths/allowed-address.ts'
import { configuredPaths } from '../access-paths/configured-paths.ts'
import { PathTransport } from '../access-paths/path-transport.ts'
import { sqlitePathIncidentStore } from '../access-paths/path-incident-store.sqlite.ts'
import { NetworkVisitor } from '../access-paths/visitor.ts'
import { parseEndpoint } from '../clusters/endpoint.ts'
import type { KnownMember } from '../clusters/member-directory.ts'
import type { ClusterConfig, Config } from '../config.ts'
import type { Database } from '../database/database.ts'
import type { Incidents } from '../incidents/incidents.ts'
import type { LiveHub } from '../live/live-hub.ts'
import type { ClusterParts, Tools } from './cluster-parts.ts'
import type { ClusterRooms } from './cluster-rooms.ts'

export interface AllPaths {
  readonly of: (cluster: string) => AccessPaths
  /** Of all clusters, by name. */
  readonly all: ReadonlyMap<string, AccessPaths>
  start(): void
  /** Stops, with everything written that can be. */
  stop(): Promise<void>
}

export interface AllPathsOptions {
  readonly config: Config
  readonly rooms: ReadonlyMap<string, Pick<ClusterRooms, 'parts' | 'records'>>
  readonly database: Database
  readonly hub: Pick<LiveHub, 'publish'>
  readonly tools: Tools
}

/** The ways into every cluster. */
export function createPaths({ config, rooms, database, hub, tools }: AllPathsOptions): AllPaths {
  const clusters = config.clusters.flatMap((cluster) => {
    const room = rooms.get(cluster.name)
    if (room === undefined) return []
    const watched = new ClusterPaths(cluster, config.publicUrl, room.parts, room.records.incidents, database, tools)
    watched.paths.subscribe(() => hub.publish({ kind: 'access-paths-changed', cluster: cluster.name }))
    return [[cluster.name, watched] as const]
  })
  const all = new Map(clusters.map(([name, { paths }]) => [name, paths]))
  return {
    all,
    of: (cluster) => {
      const found = all.get(cluster)
      if (found === undefined) throw new TypeError(`there is no cluster "${cluster}"`)
      return found
    },
    start: () => {
      for (const [, watched] of clusters) watched.start()
    },
    stop: async () => {
      for (const [, watched] of clusters) await watched.stop()
    },
  }
}

/** The ways into one cluster, watched. */
class ClusterPaths {
  readonly paths: AccessPaths
  readonly #transport: PathTransport
  readonly #parts: ClusterParts
  #end: () => void = () => {}

  constructor(
    config: ClusterConfig,
    publicUrl: string,
    parts: ClusterParts,
    incidents: Incidents,
    database: Database,
    tools: Tools,
  ) {
    const { cluster } = parts
    const { trust, proxyProtocol } = cluster
    const { clock } = tools
    this.#parts = parts
    this.#transport = new PathTransport({
      trust,
      get identity() {
        return cluster.identity
      },
      clock,
    })
    const facts = () => factsOf(config, parts)
    this.paths = new AccessPaths({
      cluster: config.name,
      paths: configuredPaths(config.accessPaths, publicUrl),
      visitor: new NetworkVisitor({
        transport: this.#transport,
        trust,
        hasIdentity: cluster.identity !== null,
        proxyProtocol,
        clock,
      }),
      facts,
      mayVisit: (address) =>
        mayProbe(address, {
          probeNetworks: config.probeNetworks,
          memberNetworks: config.memberNetworks ?? [],
          memberAddresses: facts().members.flatMap(({ addresses }) => addresses),
        }),
      openIncidents: () => incidents.open(null),
      incident: async (id) => {
        const found = await incidents.get(id)
        return found === null ? null : IncidentSummary.parse(found)
      },
      store: sqlitePathIncidentStore(database),
      ...tools,
    })
  }

  start(): void {
    const { board } = this.#parts.cluster
    this.#end = board.subscribe((change) => {
      if (change.kind === 'member' && change.after?.standing !== change.before?.standing) this.paths.hurry()
    })
    this.paths.start()
  }

  async stop(): Promise<void> {
    this.#end()
    this.#transport.destroy()
    await this.paths.stop()
  }
}

function factsOf(config: ClusterConfig, { cluster, readings }: ClusterParts): ClusterFacts {
  const server = readings.anyServer.value
  // Who may not see the configuration is given an empty one.
  const settings = server === null || Object.keys(server.config).length === 0 ? null : server.config
  const shared = sharedHosts(config)
  const text = (key: string) => (typeof settings?.[key] === 'string' ? settings[key] : '')
  return {
    members: cluster.directory.list().map((member): PathMember => {
      const { standing, symptom } = cluster.board.current(member.name)
      const own = readings.of(member.name).server.value
      const listens = own?.config['core.https_address']
      return {
        name: member.name,
        address: member.endpoint.host,
        addresses: addressesOf(member, own?.environment?.addresses ?? []).filter((address) => !shared.has(address)),
        standing,
        symptom,
        listens: typeof listens === 'string' ? listens : null,
      }
    }),
    hasIdentity: cluster.identity !== null,
    trustedProxies: settings === null ? null : listIn(text('core.https_trusted_proxy')),
    oidc: server === null ? null : server.auth_methods.includes('oidc'),
    acmeDomain: settings === null ? null : text('acme.domain'),
  }
}

/** Addresses that several servers may have at once say nothing of who they are. */
function sharedHosts({ accessPaths }: ClusterConfig): ReadonlySet<string> {
  return new Set(
    accessPaths.flatMap((path) =>
      path.kind === 'floating-ip' || path.kind === 'ecmp' ? [parseEndpoint(path.address).host] : [],
    ),
  )
}

function addressesOf({ endpoint, addresses = [] }: KnownMember, told: readonly string[]): string[] {
  const own = isIP(endpoint.host) === 0 ? [] : [endpoint.host]
  const others = told.flatMap((text) => {
    try {
      return [parseEndpoint(text).host]
    } catch {
      return []
    }
  })
  return [...new Set([...own, ...addresses, ...others])]
}

function listIn(text: string): string[] {
  return text.split(',').flatMap((entry) => (entry.trim() === '' ? [] : [entry.trim()]))
}
