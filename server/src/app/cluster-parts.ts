import { lookup } from 'node:dns/promises'
import { X509Certificate } from 'node:crypto'
import type { PinStore } from '../certificates/pin-store.ts'
import type { PinChange } from '../certificates/trust-follow.ts'
import { TrustFollower } from '../certificates/trust-follow.ts'
import type { Cluster, ConsoleIdentity } from '../clusters/cluster.ts'
import { MemberDirectory } from '../clusters/member-directory.ts'
import { ReportedMembers } from '../clusters/reported-members.ts'
import type { Pin, TrustAnchor } from '../clusters/trust.ts'
import { fingerprintOf, Trust } from '../clusters/trust.ts'
import type { ClusterConfig, Config } from '../config.ts'
import { Discovery } from '../discovery/discovery.ts'
import type { KeptMembersStore } from '../discovery/kept-members-store.ts'
import { MembersKeeper } from '../discovery/members-keeper.ts'
import { Figures } from '../figures/figures.ts'
import type { GatewayLoad, GatewayWatch } from '../gateway/gateway-watch.ts'
import { ClusterGateway } from '../gateway/gateway.ts'
import type { RequestEnd } from '../gateway/request-end.ts'
import { Transport } from '../gateway/transport.ts'
import { HealthBoard } from '../health/health-board.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'
import { Subscribable } from '../lib/subscribable.ts'
import { Readings } from '../members/readings.ts'
import { Prober } from '../probes/prober.ts'
import { watchDatabase } from './database-watch.ts'

/** What every part is handed: time, chance and the log. */
export interface Tools {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** The parts of one cluster that watch and reach it. */
export interface ClusterParts {
  readonly cluster: Cluster
  readonly reported: ReportedMembers
  readonly prober: Prober
  readonly discovery: Discovery
  readonly readings: Readings
  readonly figures: Figures
  readonly follower: TrustFollower
  /** How each request to the cluster ended. */
  readonly requestEnds: Subscribable<RequestEnd>
  /** From now on the cluster knows the console by this; resolves when no request is under way with the one before. */
  useIdentity(next: ConsoleIdentity): Promise<void>
  /** How much of members and budget is in use. */
  load(): GatewayLoad
  start(): void
  stop(): void
}

/** Reads the pins that were followed since the configuration was written, and builds the rest around them. */
export async function createClusterParts(
  config: ClusterConfig,
  settings: Config,
  pins: PinStore,
  keptMembers: KeptMembersStore,
  onPinned: (what: PinChange, fingerprint: string) => void,
  watch: GatewayWatch,
  tools: Tools,
): Promise<ClusterParts> {
  const { clock, random, logger } = tools
  const { name, mode, memberNetworks, memberPorts, proxyProtocol } = config
  let { identity } = config
  const hasIdentity = identity !== null
  const { limits } = settings
  const configured = config.trust.kind === 'ca' ? '' : config.trust.fingerprints.join(' ')
  const followed = config.trust.kind === 'ca' ? null : await pins.read(name, configured)

  const trust = new Trust(anchorOf(config, followed))
  const directory = new MemberDirectory(config.members)
  const board = new HealthBoard({ clock, random, settings: settings.health })
  const figures = new Figures(clock)
  const transport = new Transport({ trust, identity, proxyProtocol, limits, clock })
  const requestEnds = new Subscribable<RequestEnd>()
  const gateway = new ClusterGateway({
    directory,
    board,
    transport,
    settings: { hedging: settings.hedging, limits },
    clock,
    random,
    bearerUsable: (member) => board.current(member).evidence.authorized,
    observeDatabase: !hasIdentity,
    onEnd: (end) => requestEnds.publish(end),
    watch,
  })
  const reported = new ReportedMembers()
  const trusted = config.trust.kind === 'ca' ? `ca ${config.trust.serverName}` : configured
  const keeper = new MembersKeeper({ store: keptMembers, cluster: name, trusted, clock, logger })
  const kept = await keeper.read()
  const discovery = new Discovery({
    gateway,
    directory,
    board,
    reported,
    seeds: config.members,
    hasIdentity,
    memberNetworks,
    memberPorts,
    keep: (members) => void keeper.note(members),
    resolve: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
    ...tools,
  })
  const prober = new Prober({
    transport,
    board,
    mode,
    deep: hasIdentity,
    deepPath: (member) => discovery.deepPath(member),
    onAnswered: (answerMs) => figures.direct(answerMs),
    clock,
    random,
  })
  let own = identity && fingerprintOf(new X509Certificate(identity.certificate))
  const readings = new Readings({ gateway, directory, board, identity: () => own, clock, random })
  const follower = new TrustFollower({
    cluster: name,
    configured,
    trust,
    directory,
    board,
    presented: (member) => prober.presented(member),
    store: pins,
    onChange: onPinned,
    clock,
    logger,
  })
  const follows = config.trust.kind === 'fingerprints' && config.trust.follow
  const ends = [
    directory.subscribe((members) => prober.follow(members)),
    trust.subscribe(() => prober.askAllAnew()),
    // Connections that the old pins verified are gone. Over new ones the next successor can be told at any time.
    trust.subscribe(() => readings.refreshServers()),
    watchDatabase({ board, reported, prober, discovery, clock }),
    ...(follows
      ? [
          readings.onServer(({ member, server }) => follower.heard(member, server)),
          prober.onPresented(() => follower.presentedChanged()),
        ]
      : []),
  ]
  // A token for the audience of the sign-in is there already; only another one has to be asked for.
  const audience = config.audience === settings.oidc.audience ? null : config.audience
  return {
    cluster: {
      ...config,
      get identity() {
        return identity
      },
      audience,
      directory,
      trust,
      board,
      gateway,
    },
    reported,
    prober,
    discovery,
    readings,
    figures,
    follower,
    requestEnds,
    load: () => gateway.load(),
    useIdentity: (next) => {
      identity = next
      own = fingerprintOf(new X509Certificate(next.certificate))
      return transport.useIdentity(next)
    },
    start: () => {
      discovery.start(kept)
      prober.start()
      prober.follow(directory.list())
      readings.start()
    },
    stop: () => {
      for (const end of ends) end()
      readings.stop()
      prober.stop()
      discovery.stop()
      gateway.close()
      transport.destroy()
    },
  }
}

/** Why the cluster tells nobody anything now, as a sentence; null while there is no such reason. */
export function lossOf({ cluster: { board } }: Pick<ClusterParts, 'cluster'>): string | null {
  return board.databaseAvailable === false ? 'The cluster database does not answer.' : null
}

function anchorOf({ trust }: ClusterConfig, followed: readonly Pin[] | null): TrustAnchor {
  if (trust.kind === 'ca') return { kind: 'ca', certificates: trust.ca, serverName: trust.serverName }
  const configured = trust.fingerprints.map((fingerprint, at): Pin => {
    const position = at === 0 ? 'current' : 'next'
    return { fingerprint: fingerprint.replaceAll(':', '').toLowerCase(), position, from: 'configuration' }
  })
  return { kind: 'fingerprints', pins: followed ?? configured }
}
