import type { AcmeOrder } from '@malleus/shared/api/acme.ts'
import type { Operation } from '@malleus/shared/api/operations.ts'
import { lookup } from 'node:dns/promises'
import { badness } from '@malleus/shared/domain/health.ts'
import { Acme } from '../acme/acme.ts'
import { sqliteAcmeOrderStore } from '../acme/acme-order-store.sqlite.ts'
import { AcmeOrders } from '../acme/acme-orders.ts'
import { renewalDescription } from '../acme/acme-view.ts'
import { probeChallenge } from '../acme/challenge-probe.ts'
import { mayProbe } from '../access-paths/allowed-address.ts'
import { auditEntry, parseEntry } from '../audit/record.ts'
import { fingerprintOf } from '../clusters/trust.ts'
import type { ClusterConfig, Config } from '../config.ts'
import { LastTold } from '../lists/last-told.ts'
import type { LiveHub } from '../live/live-hub.ts'
import type { ClusterParts, Tools } from './cluster-parts.ts'
import { lossOf } from './cluster-parts.ts'
import { createServerConfig, maskOf } from './cluster-settings.ts'
import type { ClusterRooms } from './cluster-rooms.ts'
import type { ClusterWatch } from './cluster-watch.ts'
import type { Storage } from './storage.ts'

export interface AllAcmeParts {
  readonly config: Config
  readonly rooms: ReadonlyMap<string, Pick<ClusterRooms, 'parts'>>
  /** What the console hears with its own identity, where it has one. */
  readonly own: ReadonlyMap<string, ClusterWatch>
  readonly storage: Storage
  readonly hub: Pick<LiveHub, 'publish'>
  readonly tools: Tools
}

/** How the servers of every cluster get their certificate, and the orders that go on in that. */
export interface AllAcme {
  of(cluster: string): Acme
  start(): void
  stop(): void
}

export function createAllAcme(parts: AllAcmeParts): AllAcme {
  const all = new Map<string, { readonly acme: Acme; readonly orders: AcmeOrders }>()
  for (const config of parts.config.clusters) {
    const room = parts.rooms.get(config.name)
    if (room !== undefined) all.set(config.name, createAcme(config, room.parts, parts))
  }
  return {
    of: (cluster) => {
      const found = all.get(cluster)
      if (found === undefined) throw new TypeError(`there is no cluster "${cluster}"`)
      return found.acme
    },
    start: () => {
      for (const { orders } of all.values()) void orders.open()
    },
    stop: () => {
      for (const { orders } of all.values()) orders.stop()
    },
  }
}

function createAcme(
  config: ClusterConfig,
  parts: ClusterParts,
  { own, storage: { database, history, keys }, hub, tools }: AllAcmeParts,
): { readonly acme: Acme; readonly orders: AcmeOrders } {
  const watch = own.get(config.name) ?? null
  const { cluster, reported, prober, readings } = parts
  const { name, board, directory } = cluster
  const serverConfig = createServerConfig(parts, maskOf(keys.hmac), tools.clock)
  const answers = (member: string): boolean => badness(board.current(member).standing) < badness('ejected')
  const leader = (): string | null => {
    const rows = [...(reported.latest?.rows ?? [])]
    return rows.find(([, { roles }]) => roles.includes('database-leader'))?.[0] ?? null
  }
  const renewals = async (): Promise<readonly Operation[]> => {
    if (watch === null) return []
    const { operations } = await watch.operations.list()
    const own = operations.filter(({ description }) => description === renewalDescription)
    return own.toSorted((a, b) => b.createdAt.localeCompare(a.createdAt))
  }
  const presented = () =>
    directory.list().flatMap((member) => {
      const last = prober.presented(member.name)
      if (!member.contacted || !answers(member.name) || last === null) return []
      return [{ member: member.name, fingerprint: fingerprintOf(last.certificate) }]
    })
  const orders = new AcmeOrders({
    cluster: name,
    serverConfig,
    leader,
    renewals,
    presented,
    lookAgain: () => prober.askAllAnew(),
    store: sqliteAcmeOrderStore(database),
    onChange: () => {
      acme.changed()
      hub.publish({ kind: 'certificate-changed', cluster: name })
    },
    onEnd: (order, begun) => record(order, begun),
    ...tools,
  })
  const acme = new Acme({
    gateway: cluster.gateway,
    serverConfig,
    told: new LastTold({ loss: () => lossOf(parts), clock: tools.clock }),
    orders,
    renewals,
    certificate: () => readings.anyServer.value?.environment?.certificate ?? null,
    leader,
    servers: () =>
      directory.list().map((member) => ({
        name: member.name,
        reported: reported.latest?.rows.get(member.name)?.status ?? null,
        answers: answers(member.name),
      })),
    follows: config.trust.kind === 'ca' || config.trust.follow,
    probe: (domain) =>
      probeChallenge(domain, {
        resolve: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
        mayProbe: (address) =>
          mayProbe(address, {
            probeNetworks: config.probeNetworks,
            memberNetworks: config.memberNetworks ?? [],
            memberAddresses: directory.list().map(({ endpoint }) => endpoint.host),
          }),
        random: tools.random,
      }),
    ...tools,
  })

  /** The intent is in the history since it was asked for; this is what became of it. */
  function record(order: AcmeOrder, begun: unknown): void {
    const action = order.kind === 'renew' ? 'acme.renew' : 'acme.configure'
    const before = parseEntry(begun) ?? auditEntry({ action, cluster: name, object: order.domain })
    const ms = order.endedAt === null ? null : Date.parse(order.endedAt) - Date.parse(order.startedAt)
    const out = { status: null, op: null, opStatus: order.phase, bytes: null, ms, code: null }
    try {
      history.record({ ...before, out })
    } catch (error) {
      tools.logger.error({ err: error, cluster: name }, 'the end of an order is missing in the access history')
    }
  }

  return { acme, orders }
}
