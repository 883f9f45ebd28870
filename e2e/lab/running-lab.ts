// A real Incus cluster on this machine: started, asked, broken, mended and taken down. The command in `lab.ts` and
// the tests use the same object.

import { readdirSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { planAddresses, type AddressPlan, type MemberPlan } from './address-plan.ts'
import { claimSlot, connect, readClaims, removeLinks } from './bridge.ts'
import {
  clusterCertificate,
  configure,
  fingerprintOf,
  formCluster,
  readMembers,
  type ReportedMember,
} from './cluster.ts'
import { plainEnvironment, run } from './command.ts'
import { until } from './deadline.ts'
import { breakMember, mendMember, readHeard, type Heard, type Patient } from './faults.ts'
import { imageAlias, writeImage } from './image.ts'
import { answers } from './incus-socket.ts'
import { planBeginning, planEnding, type Found } from './leftovers.ts'
import { prepareMachine } from './machine.ts'
import { memberPort, socketOf, startDaemon, untilReady } from './member-process.ts'
import {
  closeRoom,
  createNetwork,
  enter,
  furnish,
  networkFile,
  openRoom,
  roomStands,
  type NamespaceRoom,
} from './namespace.ts'
import { identify, stateOf, type ProcessState } from './process-identity.ts'
import type { ProviderFacts } from './provider-facts.ts'
import { prepareProvider, providerAnswers, startProvider, trustAuthorities } from './provider.ts'
import {
  defaultStateDirectory,
  StateDirectory,
  type Fault,
  type FaultRecord,
  type LabRecord,
} from './state-directory.ts'

export interface LabOptions {
  /** Letters, digits and dashes. Labs of other names run beside this one. Default: `lab`. */
  readonly name?: string
  /** 1 to 25. Default: what is there, or 3. */
  readonly members?: number
  /** Absolute path of a folder that does not exist yet, or holds this lab. Default: `/run/malleus-lab/NAME`. */
  readonly stateDirectory?: string
  /**
   * The identity provider the members believe. `http` (default) and `https` start one in a process of its own; `none`
   * leaves the members without OpenID Connect until `trustProvider`.
   */
  readonly provider?: 'http' | 'https' | 'none'
  /** Where the console will be, for the lab's own provider. Default: `http://localhost:8480` and `http://127.0.0.1:8480`. */
  readonly consoleUrls?: readonly string[]
  /** PEM certificates of authorities by which the members believe a provider on HTTPS that the lab does not start. Default: the machine's. */
  readonly trustedAuthorities?: readonly string[]
  /** `cluster.offline_threshold`, more than 10. Default: Incus's own, 20. */
  readonly offlineThresholdSeconds?: number
  /** Told what happens, a line at a time. Default: nobody. */
  readonly told?: (line: string) => void
}

export interface LabMember {
  readonly name: string
  readonly address: string
  readonly port: number
  /** The daemon that was started last; it may have ended since. */
  readonly pid: number
}

export interface LabStatus {
  readonly name: string
  readonly stateDirectory: string
  readonly subnet: string
  readonly fingerprint: string
  readonly provider: { readonly issuer: string; readonly answers: boolean } | undefined
  /** The member that was asked what the cluster reports; undefined when none could answer. */
  readonly via: string | undefined
  readonly members: readonly MemberStatus[]
}

export interface MemberStatus extends LabMember {
  readonly process: ProcessState
  readonly fault: Fault | undefined
  readonly brokenAt: string | undefined
  readonly reported: Pick<ReportedMember, 'status' | 'message' | 'roles'> | undefined
}

/**
 * Starts a lab and gives it when the cluster is whole. A lab of this name that stands already is given as it is, with
 * its faults; one that was interrupted is cleared away first. Installs Debian packages when they are missing.
 *
 * Throws `MachineUnfit` where a lab cannot be, and an error that says why where it may not be.
 */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const { told = () => undefined } = options
  const wanted = wish(options)
  if (options.offlineThresholdSeconds !== undefined && !(options.offlineThresholdSeconds > 10)) {
    throw new RangeError('Incus takes an offline threshold of more than 10 seconds only')
  }
  if (options.members !== undefined) planAddresses(0, options.members)
  await prepareMachine(told)
  const state = new StateDirectory(wanted.stateDirectory)
  const found = await lookAround(state)
  const beginning = planBeginning(found, wanted)
  if (beginning.kind === 'refuse') throw new Error(beginning.reason)
  if (beginning.kind === 'reuse' && found.record !== undefined) return await resume(new Lab(state, found.record), told)
  if (beginning.kind === 'rebuild') {
    told('clearing away an interrupted lab')
    await clear(state, beginning.slots)
  }
  return await build(state, wanted, options, told)
}

/** The lab of this name, when it stands. */
export async function openLab(options: Pick<LabOptions, 'name' | 'stateDirectory'> = {}): Promise<Lab | undefined> {
  const wanted = wish(options)
  const state = new StateDirectory(wanted.stateDirectory)
  const record = state.readLab()
  if (record === undefined || record.name !== wanted.name || record.phase !== 'up') return undefined
  return (await roomStands(state.room(record.slot), 'server1')) ? new Lab(state, record) : undefined
}

/** Removes whatever is there of the lab of this name, whole or not. False when there was nothing. */
export async function removeLab(options: Pick<LabOptions, 'name' | 'stateDirectory'> = {}): Promise<boolean> {
  const wanted = wish(options)
  const state = new StateDirectory(wanted.stateDirectory)
  const ending = planEnding(await lookAround(state), wanted, process.pid)
  if (ending.kind === 'refuse') throw new Error(ending.reason)
  if (ending.kind === 'remove') await clear(state, ending.slots)
  return ending.kind === 'remove'
}

export class Lab {
  readonly name: string
  readonly stateDirectory: string
  /** The host's end of the bridge: where a provider that a test starts itself has to listen, for members to reach it. */
  readonly hostAddress: string
  readonly #state: StateDirectory
  readonly #room: NamespaceRoom
  readonly #plan: AddressPlan

  /** Use `startLab` or `openLab`. */
  constructor(state: StateDirectory, record: LabRecord) {
    this.name = record.name
    this.stateDirectory = state.path
    this.#state = state
    this.#room = state.room(record.slot)
    this.#plan = planAddresses(record.slot, record.members)
    this.hostAddress = this.#plan.host
  }

  get members(): LabMember[] {
    return this.#plan.members.map(({ name, address }) => ({
      name,
      address,
      port: memberPort,
      pid: this.#state.readProcess(name)?.pid ?? 0,
    }))
  }

  /** SHA-256 of the certificate the members present, as Incus prints it. Read from the first unbroken member each time. */
  get clusterFingerprint(): string {
    return fingerprintOf(this.clusterCertificate)
  }

  /** PEM. */
  get clusterCertificate(): string {
    const whole = this.#plan.members.find(({ name }) => this.#state.readFault(name) === undefined)
    return clusterCertificate(this.#state, whole?.name ?? 'server1')
  }

  /** The identity provider the members believe, if any. */
  get oidc(): ProviderFacts | undefined {
    return this.#record.provider
  }

  /** Breaks a member. One that is broken already is mended first. */
  async break(name: string, fault: Fault): Promise<void> {
    const patient = this.#patient(name)
    if (this.#state.readFault(name) !== undefined) await mendMember(patient)
    await breakMember(patient, fault)
  }

  /** Undoes what was done to a member, and waits until it answers on the network. The cluster may take some seconds more to report it. */
  async mend(name: string): Promise<void> {
    await mendMember(this.#patient(name))
  }

  fault(name: string): FaultRecord | undefined {
    return this.#state.readFault(this.#member(name).name)
  }

  /** What a `starting` or `wrong-certificate` member was sent after the handshakes, by sender. Other members are senders too. */
  async heard(name: string): Promise<Heard[] | undefined> {
    return await readHeard(this.#patient(name))
  }

  /** What the cluster says about its members, asked of the first unbroken one. */
  async reported(): Promise<ReportedMember[]> {
    return await readMembers(await this.#healthySocket(), 10_000)
  }

  /** Waits until the cluster says this about a member: `Online`, `Offline`, `Evacuated`, … */
  async untilReported(name: string, status: string, withinMs = 60_000): Promise<void> {
    await until(
      `${name} being reported ${status}`,
      withinMs,
      async () =>
        (await this.reported()).some((member) => member.name === name && member.status === status) ? true : undefined,
      200,
    )
  }

  /** The member that holds the cluster's database at the moment. */
  async leader(): Promise<string> {
    return await until('a database leader', 30_000, async () => {
      const leader = (await this.reported()).find((member) => member.roles.includes('database-leader'))
      return leader?.name
    })
  }

  /** Runs the incus client as root on the first unbroken member and gives what it printed. */
  async incus(
    args: readonly string[],
    options: { readonly input?: string; readonly timeoutMs?: number } = {},
  ): Promise<string> {
    return await run(['incus', ...args], { ...options, environment: await this.clientEnvironment() })
  }

  /** The environment in which `incus` talks to the first unbroken member. */
  async clientEnvironment(): Promise<Record<string, string>> {
    const member = await this.#healthyMember()
    return { ...plainEnvironment, INCUS_DIR: this.#state.member(member), INCUS_CONF: `${this.stateDirectory}/client` }
  }

  /** The Unix socket of a member. */
  socket(name: string): string {
    return socketOf(this.#state, this.#member(name).name)
  }

  /** The words before a command that make it run in a member's namespace. */
  enter(name: string): string[] {
    return enter(this.#room, this.#member(name).name)
  }

  /** A token with which a client makes itself trusted once: `incus config trust add`. */
  async trustToken(
    name: string,
    options: { readonly restricted?: boolean; readonly projects?: readonly string[] } = {},
  ): Promise<string> {
    const { restricted = false, projects = [] } = options
    const narrowed = restricted || projects.length > 0 ? ['--restricted', '--projects', projects.join(',')] : []
    return (await this.incus(['config', 'trust', 'add', name, '--quiet', ...narrowed])).trim().split('\n').at(-1) ?? ''
  }

  /** Makes every member believe this provider from now on. */
  async trustProvider(provider: ProviderFacts): Promise<void> {
    await configure(await this.#healthySocket(), {
      'oidc.issuer': provider.issuer,
      'oidc.client.id': provider.clientId,
      'oidc.audience': provider.audience,
      'oidc.scopes': 'openid, email, offline_access',
    })
    this.#state.writeLab({ ...this.#record, provider })
  }

  /** Makes the tiny image available in the cluster and gives its alias. */
  async importImage(): Promise<string> {
    const known = await this.incus(['image', 'alias', 'list', '--format', 'csv', imageAlias])
    if (known.trim() === '')
      await this.incus([
        'image',
        'import',
        await writeImage(`${this.stateDirectory}/image`),
        '--alias',
        imageAlias,
        '--quiet',
      ])
    return imageAlias
  }

  /** Starts a container from the tiny image; on `target`, or where Incus puts it. */
  async launch(name: string, options: { readonly target?: string } = {}): Promise<void> {
    const image = await this.importImage()
    await this.incus([
      'launch',
      image,
      name,
      '--quiet',
      ...(options.target === undefined ? [] : ['--target', options.target]),
    ])
  }

  /** Everything there is to say about the lab at the moment. Answers within a few seconds, however broken it is. */
  async status(): Promise<LabStatus> {
    const { via, reported } = await this.#askAround()
    const provider = this.oidc
    return {
      name: this.name,
      stateDirectory: this.stateDirectory,
      subnet: this.#plan.subnet,
      fingerprint: this.clusterFingerprint,
      provider:
        provider === undefined ? undefined : { issuer: provider.issuer, answers: await providerAnswers(provider) },
      via,
      members: this.members.map((member) => {
        const daemon = this.#state.readProcess(member.name)
        const fault = this.#state.readFault(member.name)
        const said = reported.find(({ name }) => name === member.name)
        return {
          ...member,
          process: daemon === undefined ? 'gone' : stateOf(daemon),
          fault: fault?.fault,
          brokenAt: fault?.brokenAt,
          reported: said === undefined ? undefined : { status: said.status, message: said.message, roles: said.roles },
        }
      }),
    }
  }

  /** Ends and removes everything. */
  async down(): Promise<void> {
    await removeLab({ name: this.name, stateDirectory: this.stateDirectory })
  }

  get #record(): LabRecord {
    const record = this.#state.readLab()
    if (record === undefined) throw new Error(`the lab ${this.name} is not there any more`)
    return record
  }

  async #askAround(): Promise<{ via: string | undefined; reported: readonly ReportedMember[] }> {
    try {
      const via = await this.#healthyMember()
      return { via, reported: await readMembers(socketOf(this.#state, via), 3_000) }
    } catch {
      return { via: undefined, reported: [] }
    }
  }

  async #healthySocket(): Promise<string> {
    return socketOf(this.#state, await this.#healthyMember())
  }

  async #healthyMember(): Promise<string> {
    for (const { name } of this.#plan.members) {
      if (this.#state.readFault(name) !== undefined) continue
      if (await answers(socketOf(this.#state, name), 1_000)) return name
    }
    throw new Error(`no member of the lab ${this.name} answers`)
  }

  #patient(name: string): Patient {
    return { state: this.#state, room: this.#room, plan: this.#member(name) }
  }

  #member(name: string): MemberPlan {
    const member = this.#plan.members.find((one) => one.name === name)
    if (member === undefined)
      throw new Error(`there is no ${name}; the members are ${this.#plan.members.map((one) => one.name).join(', ')}`)
    return member
  }
}

async function build(
  state: StateDirectory,
  wanted: Wish,
  options: LabOptions,
  told: (line: string) => void,
): Promise<Lab> {
  const builder = identify(process.pid)
  if (builder === undefined) throw new Error('this process has no entry in /proc')
  const slot = await claimSlot(wanted.name, state.path)
  const plan = planAddresses(slot, wanted.members ?? 3)
  const record: LabRecord = {
    name: wanted.name,
    slot,
    members: plan.members.length,
    phase: 'forming',
    builder,
    ownProvider: false,
  }
  try {
    state.take(record)
  } catch (error) {
    await removeLinks(slot)
    throw error
  }
  try {
    const room = state.room(slot)
    const provider = await furnishLab(state, room, plan, options)
    told(
      `${plan.members.length} members and ${provider === undefined ? 'no' : 'an'} identity provider started in ${plan.subnet}`,
    )
    await formCluster(state, plan, told)
    const lab = new Lab(state, record)
    const threshold = options.offlineThresholdSeconds
    if (threshold !== undefined) await configure(lab.socket('server1'), { 'cluster.offline_threshold': `${threshold}` })
    if (provider !== undefined) await lab.trustProvider(provider)
    state.writeLab({
      ...record,
      phase: 'up',
      ownProvider: provider !== undefined,
      ...(provider === undefined ? {} : { provider }),
    })
    return lab
  } catch (error) {
    await clear(state, [slot])
    throw error
  }
}

/** Namespaces, daemons and provider; all of them answer afterwards. */
async function furnishLab(
  state: StateDirectory,
  room: NamespaceRoom,
  plan: AddressPlan,
  options: LabOptions,
): Promise<ProviderFacts | undefined> {
  const {
    provider = 'http',
    consoleUrls = ['http://localhost:8480', 'http://127.0.0.1:8480'],
    trustedAuthorities = [],
  } = options
  await openRoom(room)
  await Promise.all(plan.members.map(({ name }) => createNetwork(room, name)))
  await connect(plan, (name) => networkFile(room, name))
  if (trustedAuthorities.length > 0) trustAuthorities(state, trustedAuthorities)
  const facts =
    provider === 'none' ? undefined : prepareProvider(state, plan.host, { tls: provider === 'https', consoleUrls })
  const ready = plan.members.map(async ({ name, address }) => {
    await furnish(room, { name, address, gateway: plan.host })
    await startDaemon(state, room, name)
    await untilReady(state, name)
  })
  await Promise.all([...ready, facts === undefined ? undefined : startProvider(state, room, facts)])
  return facts
}

/** Starts again what ended by itself. What was broken on purpose stays broken. */
async function resume(lab: Lab, told: (line: string) => void): Promise<Lab> {
  const { members, provider } = await lab.status()
  const ended = members.filter((member) => member.fault === undefined && member.process !== 'running')
  for (const { name } of ended) {
    told(`${name} had ended; starting it again`)
    await lab.mend(name)
  }
  const state = new StateDirectory(lab.stateDirectory)
  const record = state.readLab()
  if (provider?.answers === false && record?.ownProvider === true && record.provider !== undefined) {
    told('the identity provider had ended; starting it again')
    await startProvider(state, state.room(record.slot), record.provider)
  }
  return lab
}

/** Removes a lab that `planBeginning` or `planEnding` found to be ours. */
async function clear(state: StateDirectory, slots: readonly number[]): Promise<void> {
  for (const slot of slots) await closeRoom(state.room(slot))
  removeLocks(state.path)
  // The files before the bridge: as long as there is a claim, an interrupted `down` can be repeated.
  state.remove()
  for (const slot of slots) await removeLinks(slot)
}

async function lookAround(state: StateDirectory): Promise<Found> {
  const record = state.readLab()
  return {
    record,
    unknownFiles: record === undefined && state.exists && !isEmptyDirectory(state.path),
    builderAlive: record !== undefined && stateOf(record.builder) !== 'gone',
    roomStands: record !== undefined && (await roomStands(state.room(record.slot), 'server1')),
    claims: process.platform === 'linux' ? await readClaims() : [],
  }
}

/** LXC keeps a lock for each container under /run/lxc/lock, by the path of its folder. */
function removeLocks(path: string): void {
  const locks = '/run/lxc/lock'
  rmSync(join(locks, path), { recursive: true, force: true })
  for (let folder = dirname(join(locks, path)); folder !== '/run'; folder = dirname(folder)) {
    try {
      rmdirSync(folder)
    } catch {
      return // Not empty: others keep theirs there. Or there never was one.
    }
  }
}

function isEmptyDirectory(path: string): boolean {
  try {
    return readdirSync(path).length === 0
  } catch {
    return false
  }
}

interface Wish {
  readonly name: string
  readonly stateDirectory: string
  readonly members: number | undefined
}

function wish({
  name = 'lab',
  stateDirectory,
  members,
}: Pick<LabOptions, 'name' | 'stateDirectory' | 'members'>): Wish {
  if (!/^[a-z0-9][a-z0-9-]{0,30}$/i.test(name))
    throw new Error(`${name} is no name for a lab: letters, digits and dashes, at most 31`)
  return { name, stateDirectory: stateDirectory ?? defaultStateDirectory(name), members }
}
