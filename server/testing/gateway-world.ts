import { parseEndpoint } from '../src/clusters/endpoint.ts'
import { MemberDirectory } from '../src/clusters/member-directory.ts'
import { Trust } from '../src/clusters/trust.ts'
import type { HedgingSettings, LimitSettings } from '../src/gateway/gateway-settings.ts'
import { gatewaySettings } from '../src/gateway/gateway-settings.ts'
import type { GatewayWatch } from '../src/gateway/gateway-watch.ts'
import { ClusterGateway } from '../src/gateway/gateway.ts'
import type { RequestEnd } from '../src/gateway/request-end.ts'
import type { Scope } from '../src/gateway/scope.ts'
import { Transport } from '../src/gateway/transport.ts'
import { HealthBoard } from '../src/health/health-board.ts'
import { healthSettings } from '../src/health/health-settings.ts'
import type { Clock } from '../src/lib/clock.ts'
import { systemClock } from '../src/lib/clock.ts'
import { systemRandom } from '../src/lib/random.ts'
import { Prober } from '../src/probes/prober.ts'
import { selfSigned } from './certificate-authority.ts'
import { startStandInCluster } from './stand-in/stand-in-cluster.ts'
import type { StandInCluster } from './stand-in/stand-in-cluster.ts'
import type { StandInClusterOptions } from './stand-in/options.ts'

export interface GatewayWorldOptions {
  readonly cluster?: StandInClusterOptions
  readonly hedging?: Partial<HedgingSettings>
  readonly limits?: Partial<LimitSettings>
  readonly bearerUsable?: (member: string) => boolean
  /** Time of the gateway itself. Default: the machine's. */
  readonly clock?: Clock
  /** Whether members are probed, as in the product. Default: not; the board then knows only what requests saw. */
  readonly probed?: boolean
  readonly watch?: GatewayWatch
  readonly onEnd?: (end: RequestEnd) => void
}

/** A stand-in cluster, and the real door out to it: directory, board, transport and gateway, with a first good probe of each. */
export interface GatewayWorld extends AsyncDisposable {
  readonly cluster: StandInCluster
  readonly directory: MemberDirectory
  readonly board: HealthBoard
  readonly trust: Trust
  readonly transport: Transport
  readonly gateway: ClusterGateway
  readonly console: Scope
}

export async function startGatewayWorld(options: GatewayWorldOptions = {}): Promise<GatewayWorld> {
  const cluster = await startStandInCluster({ members: 3, moveMs: 0, ...options.cluster })
  const identity = selfSigned({ commonName: 'malleus' })
  cluster.trust(identity.certificate)
  const settings = gatewaySettings({ hedging: options.hedging ?? {}, limits: options.limits ?? {} })
  const [clock, random] = [systemClock, systemRandom]
  const trust = new Trust({
    kind: 'fingerprints',
    pins: [{ fingerprint: cluster.fingerprint, position: 'current', from: 'test' }],
  })
  const transport = new Transport({
    trust,
    identity: { ...identity, unrestricted: true },
    proxyProtocol: false,
    limits: settings.limits,
    clock,
  })
  const directory = new MemberDirectory([])
  directory.replace(
    cluster.members.map((name) => {
      return { name, endpoint: parseEndpoint(cluster.address(name)), groups: [], contacted: true, why: null }
    }),
  )
  const board = new HealthBoard({ clock, random, settings: healthSettings() })
  board.retain(cluster.members)
  for (const name of cluster.members) board.observe(name, { kind: 'probe-answered', answerMs: 1, fresh: true })
  const bearerUsable = options.bearerUsable ?? (() => true)
  const parts = { directory, board, transport, settings, random, bearerUsable, observeDatabase: false }
  const { watch, onEnd } = options
  const heard = { ...(watch && { watch }), ...(onEnd && { onEnd }) }
  const gateway = new ClusterGateway({ ...parts, clock: options.clock ?? clock, ...heard })
  const mode = options.cluster?.oidc === undefined ? 'certificate' : 'bearer'
  const prober = new Prober({ transport, board, mode, deep: true, clock, random })
  prober.follow(directory.list())
  if (options.probed === true) prober.start()
  return {
    cluster,
    directory,
    board,
    trust,
    transport,
    gateway,
    console: { kind: 'console' },
    [Symbol.asyncDispose]: async () => {
      prober.stop()
      gateway.close()
      transport.destroy()
      await cluster.close()
    },
  }
}
