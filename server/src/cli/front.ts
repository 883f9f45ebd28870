import { FrontAddress, FrontKind } from '@malleus/shared/api/fronts.ts'
import { IncusMembers } from '@malleus/shared/incus/member.ts'
import { formatEndpoint, parseEndpoint } from '../clusters/endpoint.ts'
import { Trust } from '../clusters/trust.ts'
import type { ClusterConfig, Config } from '../config.ts'
import { frontInput } from '../fronts/front-input.ts'
import { frontText, generateFront } from '../fronts/generate-front.ts'
import { readIncusReply } from '../gateway/incus-reply.ts'
import { Transport } from '../gateway/transport.ts'
import type { Clock } from '../lib/clock.ts'
import { CliError, exitCodes } from './cli-error.ts'

export interface FrontOrder {
  readonly kind: string | undefined
  readonly cluster: string | undefined
  readonly address: string | undefined
  readonly router: string | undefined
}

interface FrontWorld {
  readonly clock: Clock
  /** Says something beside what is printed. */
  readonly tell: (sentence: string) => void
}

/**
 * The configuration of a front, as text, for the servers that the cluster names now; for those of the configuration file
 * where it does not answer.
 *
 * @throws CliError when it was not understood.
 */
export async function frontOf(order: FrontOrder, config: Config, world: FrontWorld): Promise<string> {
  const kind = FrontKind.safeParse(order.kind)
  if (!kind.success) throw misunderstood(`front needs a kind: ${FrontKind.options.join(', ')}.`)
  const cluster = clusterOf(order.cluster, config)
  for (const given of [order.address, order.router]) {
    if (given !== undefined && !FrontAddress.safeParse(given).success) {
      throw misunderstood(`"${given}" is neither a name nor an address.`)
    }
  }
  const members = await membersOf(cluster, config, world)
  return frontText(generateFront(kind.data, frontInput(cluster.name, members, order)))
}

function clusterOf(name: string | undefined, { clusters }: Config): ClusterConfig {
  const [only, ...more] = clusters
  if (name === undefined && only !== undefined && more.length === 0) return only
  const found = clusters.find((cluster) => cluster.name === name)
  if (found !== undefined) return found
  const names = clusters.map((cluster) => cluster.name).join(', ')
  throw misunderstood(
    name === undefined ? `front needs --cluster: ${names}.` : `There is no cluster "${name}": ${names}.`,
  )
}

/** Each address of the configuration is asked, one after the other, until one tells who belongs to the cluster. */
async function membersOf(cluster: ClusterConfig, { limits }: Config, { clock, tell }: FrontWorld) {
  const configured = cluster.members.map((endpoint) => ({ name: formatEndpoint(endpoint), endpoint }))
  if (cluster.identity === null) {
    tell('The console has no identity in this cluster: these are the servers of the configuration file.')
    return configured
  }
  const transport = new Transport({ ...cluster, trust: trustOf(cluster), limits, clock })
  try {
    for (const { name, endpoint } of configured) {
      const { reply } = await transport.probe({
        member: { name, endpoint },
        authority: { kind: 'console' },
        path: '/1.0/cluster/members?recursion=1',
        connection: 'new',
        connectTimeoutMs: 2_000,
        tlsTimeoutMs: 2_000,
        answerTimeoutMs: 5_000,
      })
      if (reply === null || reply.status !== 200) continue
      const { value } = readIncusReply(reply, { member: name, bearer: false, parse: IncusMembers })
      return value.map(({ server_name, url }) => ({ name: server_name, endpoint: parseEndpoint(url) }))
    }
  } finally {
    transport.destroy()
  }
  tell('No server told who belongs to the cluster: these are the servers of the configuration file.')
  return configured
}

function trustOf({ trust }: ClusterConfig): Trust {
  if (trust.kind === 'ca') return new Trust({ kind: 'ca', certificates: trust.ca, serverName: trust.serverName })
  const pins = trust.fingerprints.map((fingerprint, at) => {
    const position = at === 0 ? ('current' as const) : ('next' as const)
    return { fingerprint, position, from: 'configuration' }
  })
  return new Trust({ kind: 'fingerprints', pins })
}

function misunderstood(sentence: string): CliError {
  return new CliError(exitCodes.usage, `${sentence} See malleus --help.`)
}
