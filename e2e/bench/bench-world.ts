// What is measured: a cluster, real or our own, with the console in front of it as an administrator installs it.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Console, startConsole } from '../support/console.ts'
import { freePort } from '../support/free-port.ts'
import { type RealWorld, startRealWorld } from '../support/real-world.ts'
import { type SignedIn, signIn } from '../support/signed-in.ts'
import { type StandInWorld, type StandInWorldOptions, startStandInWorld } from '../support/stand-in-world.ts'
import { type ConsoleAddress, consoleAddress } from '../support/world.ts'
import type { Run } from './measurement.ts'
import type { MemberAddress } from './member-trust.ts'

/** Path of the read that is measured, through the console; its members answer `memberListPath`. */
export const consoleListPath = '/api/clusters/bench/members'
export const memberListPath = '/1.0/cluster/members?recursion=1'

export type BenchCluster = (
  | { readonly kind: 'real'; readonly world: RealWorld }
  | { readonly kind: 'stand-in'; readonly world: StandInWorld }
) & {
  readonly members: readonly MemberAddress[]
  /** PEM of what the members present. */
  readonly certificate: string
  /** Removed at the end. */
  readonly folder: string
  readonly address: ConsoleAddress
}

export interface BenchClusterOptions {
  readonly kind: BenchCluster['kind']
  readonly members: number
  /** Name of the lab, when it is real. Default: `bench`. */
  readonly lab?: string
  /** Which instances stand-in members have. Default: 12 each. */
  readonly instances?: StandInWorldOptions['instances']
}

/** Starts a cluster of its own, which ends with the run. */
export async function startBenchCluster(
  run: Run,
  { kind, members, lab = 'bench', instances }: BenchClusterOptions,
): Promise<BenchCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'malleus-bench-'))
  run.defer(() => rm(folder, { recursive: true, force: true }))
  // Below the ports that the kernel gives to connections: with a thousand members it may have given any other one away.
  const address = consoleAddress(await freePort(18_480))
  const shared = { folder, address }
  if (kind === 'real') {
    const world = await startRealWorld({ address, name: lab, members, say: (line) => run.say(line) })
    run.defer(() => world.close())
    const places = world.lab.members.map(({ name, address: host, port }) => ({ name, host, port }))
    return { kind, world, members: places, certificate: world.lab.clusterCertificate, ...shared }
  }
  const world = await startStandInWorld({ address, members, ...(instances === undefined ? {} : { instances }) })
  run.defer(() => world.close())
  const { cluster } = world
  const places = cluster.members.map((name) => ({ name, host: '127.0.0.1', port: cluster.port(name) }))
  return { kind, world, members: places, certificate: cluster.certificate, ...shared }
}

/** The member that leads the cluster's database. */
export async function leaderOf(cluster: BenchCluster): Promise<string | undefined> {
  return cluster.kind === 'real' ? await cluster.world.lab.leader() : cluster.world.cluster.leader
}

/** Installs and starts the console, which ends with the run. `nodeFlags` are for its Node, as to profile it; `settings` are lines of its configuration file. */
export async function startBenchConsole(
  run: Run,
  { world, address, folder }: BenchCluster,
  nodeFlags: readonly string[] = [],
  settings = '',
): Promise<Console> {
  run.signal.throwIfAborted()
  const options = { folder: join(folder, 'console'), world, address, cluster: 'bench', nodeFlags, settings }
  const console = await startConsole(options)
  run.defer(() => console.stop())
  return console
}

/** Signs the administrator in, by whose right everything here is read. */
export function signInAdmin({ world, address }: BenchCluster): Promise<SignedIn> {
  return signIn({ url: address.url, provider: world.provider, person: administrator })
}

/** The administrator's own access token, as the members take it. Good for two hours. */
export function adminToken({ world }: BenchCluster): Promise<string> {
  return world.identityProvider.issueToken({ person: administrator, expiresIn: 7_200 })
}

const administrator = 'u-mika'
