import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { IdentityProvider } from '@malleus/server/testing/stand-in-idp.ts'
import { z } from 'zod'
import { until } from '../lab/deadline.ts'
import { stateOf } from '../lab/process-identity.ts'
import type { Lab } from '../lab/running-lab.ts'
import { defaultStateDirectory, StateDirectory } from '../lab/state-directory.ts'
import type { Console } from './console.ts'
import { runConsole, startConsole } from './console.ts'
import { freePort } from './free-port.ts'
import type { RealWorld } from './real-world.ts'
import { startRealWorld } from './real-world.ts'
import type { ConsoleAddress } from './world.ts'
import { consoleAddress } from './world.ts'

/** Name of the cluster in the console. */
export const cluster = 'lab'

/** Where the stories play: a real cluster with a container on each server, its provider, and the console. */
export class Stage {
  readonly world: RealWorld
  readonly folder: string
  readonly #address: ConsoleAddress
  #console: Console

  /** Use `setStage`. */
  constructor(world: RealWorld, folder: string, address: ConsoleAddress, console: Console) {
    this.world = world
    this.folder = folder
    this.#address = address
    this.#console = console
  }

  get lab(): Lab {
    return this.world.lab
  }

  get provider(): IdentityProvider {
    return this.world.identityProvider
  }

  /** The console's public address. */
  get url(): string {
    return this.#address.url
  }

  get managementUrl(): string {
    return this.#console.managementUrl
  }

  /** A server that can fail without the cluster losing its database for a while: one that does not lead it. */
  async victim(): Promise<string> {
    const leader = await this.lab.leader()
    const others = this.world.members.filter((name) => name !== leader)
    const last = others.at(-1)
    if (last === undefined) throw new Error('the cluster has one member only')
    return last
  }

  /** Everything as it was at first: servers answer and are online, instances at home, the provider there. */
  async mend(): Promise<void> {
    const { lab, world } = this
    await this.provider.up()
    const broken = [...world.broken().keys()]
    await Promise.all(broken.map((name) => world.mend(name)))
    for (const name of broken) await this.#untilReady(name)
    // Who was without its leader has no database for a while.
    const reported = await until('the cluster database', 60_000, () => lab.reported().catch(() => undefined))
    for (const { name, status } of reported) {
      if (status === 'Evacuated') await lab.incus(['cluster', 'restore', name, '--force'])
    }
    for (const name of world.members) await lab.untilReported(name, 'Online')
  }

  /** Gives a server a description. Incus takes it only together with everything else one can edit. */
  async describe(server: string, description: string): Promise<void> {
    const path = `/1.0/cluster/members/${server}`
    const { roles, groups, failure_domain, config } = Editable.parse(JSON.parse(await this.lab.incus(['query', path])))
    const body = JSON.stringify({ description, roles, groups, failure_domain, config })
    await this.lab.incus(['query', '--request', 'PUT', '--data', body, path])
  }

  /** A daemon that has just started answers for a while that it is not ready when the others pass something on to it. */
  async #untilReady(server: string): Promise<void> {
    await until(`${server} being ready`, 60_000, async () =>
      this.lab.incus(['query', `/1.0/cluster/members/${server}/state`]).then(
        () => true,
        () => undefined,
      ),
    )
  }

  /** Ends the console, lets something happen, and starts it again from what it had written. */
  async restartConsole(meanwhile: () => Promise<void>, within: readonly string[] = []): Promise<void> {
    const management = Number(new URL(this.managementUrl).port)
    await this.#console.stop()
    await meanwhile()
    const options = { folder: this.folder, world: this.world, address: this.#address, cluster, within }
    this.#console = await runConsole(options, join(this.folder, 'malleus.yaml'), management)
  }

  async close(): Promise<void> {
    await this.#console.stop()
    await this.world.close()
    await rm(this.folder, { recursive: true, force: true })
  }
}

const Editable = z.object({
  roles: z.array(z.string()),
  groups: z.array(z.string()),
  failure_domain: z.string(),
  config: z.record(z.string(), z.string()),
})

/** Builds the cluster and starts the console on it; `stageNumber` tells apart, from 0, those that stand at once. */
export async function setStage(stageNumber: number): Promise<Stage> {
  const address = consoleAddress(await freePort())
  const world = await startRealWorld({ address, name: labName(stageNumber), members: 3, offlineThresholdSeconds: 11 })
  const folder = await mkdtemp(join(tmpdir(), 'malleus-stories-'))
  try {
    for (const member of world.members) await world.lab.launch(`web-${member}`, { target: member })
    return new Stage(world, folder, address, await startConsole({ folder, world, address, cluster }))
  } catch (error) {
    await world.close()
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

/** One name for each stage of a run, so that what an interrupted run left is cleared away; another one beside a run that goes on. */
function labName(stageNumber: number): string {
  const name = stageNumber === 0 ? 'stories' : `stories-${stageNumber + 1}`
  const record = new StateDirectory(defaultStateDirectory(name)).readLab()
  const isTaken = record !== undefined && stateOf(record.builder) !== 'gone'
  return isTaken ? `stories-of-${process.pid}` : name
}
