// A real Incus cluster that stands on this machine: asked, broken and mended. The command in `lab.ts` and the tests use
// the same object.

import { planAddresses, planNeighbour, type AddressPlan, type MemberPlan } from './address-plan.ts'
import { connectOne } from './bridge.ts'
import { clusterCertificate, configure, fingerprintOf, readMembers, type ReportedMember } from './cluster.ts'
import { plainEnvironment, run } from './command.ts'
import { until } from './deadline.ts'
import { breakMember, mendMember, readHeard, type Heard, type Patient } from './faults.ts'
import { imageAlias, writeImage } from './image.ts'
import { answers } from './incus-socket.ts'
import { memberPort, socketOf } from './member-process.ts'
import { createNetwork, enter, furnish, networkFile, spawnInside, type NamespaceRoom } from './namespace.ts'
import { stateOf, type ProcessIdentity, type ProcessState } from './process-identity.ts'
import type { ProviderFacts } from './provider-facts.ts'
import { providerAnswers } from './provider.ts'
import { removeLab } from './remove-lab.ts'
import type { Fault, FaultRecord, LabRecord, StateDirectory } from './state-directory.ts'

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

/** A program on a machine of the lab, and where it says what it does. */
export interface FrontProgram {
  readonly identity: ProcessIdentity
  readonly log: string
}

export class Lab {
  readonly name: string
  readonly stateDirectory: string
  /** The host's end of the bridge: where a provider that a test starts itself has to listen, for members to reach it. */
  readonly hostAddress: string
  readonly #state: StateDirectory
  readonly #room: NamespaceRoom
  readonly #plan: AddressPlan
  readonly #neighbours = new Map<string, MemberPlan>()

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
    const { name: known } = this.#member(name)
    await this.#untilMember(
      `${known} being reported ${status}`,
      withinMs,
      (member) => member.name === known && member.status === status,
    )
  }

  /** The member that holds the cluster's database. After a leader was stopped with SIGSTOP the cluster can be without for longer than a minute. */
  async leader(withinMs = 60_000): Promise<string> {
    return await this.#untilMember('a database leader', withinMs, (member) => member.roles.includes('database-leader'))
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

  /** The words before a command that make it run in the namespace of a member or of a neighbour. */
  enter(name: string): [string, ...string[]] {
    return enter(this.#room, this.#machine(name).name)
  }

  /** Puts a machine of its own beside the members, on the same network and with nothing in it; gives its address. `number`, 2 to 9, is the last of it. Goes with the lab. */
  async addNeighbour(name: string, number: number): Promise<string> {
    const plan = planNeighbour(this.#record.slot, name, number)
    await createNetwork(this.#room, name)
    await connectOne(this.#plan, plan, networkFile(this.#room, name))
    await furnish(this.#room, { name, address: plan.address, gateway: this.hostAddress })
    this.#neighbours.set(name, plan)
    return plan.address
  }

  /** Starts a program on a member or a neighbour, beside what is there. It lives on through faults of the daemon and ends with the lab. */
  start(name: string, argv: readonly string[]): FrontProgram {
    const log = this.#state.log(`${name}.front`)
    return { log, identity: spawnInside(this.#room, this.#machine(name).name, argv, { log, leaf: 'front' }) }
  }

  /** An address on the network of the lab that belongs to no machine. `number`, 100 to 254, is the last of it. */
  sharedAddress(number: number): string {
    if (!(number >= 100 && number <= 254)) throw new RangeError(`${number} is not between 100 and 254`)
    return this.#plan.subnet.replace(/0\/24$/, `${number}`)
  }

  /** Changes settings of one member, keeping the others. */
  async configureMember(name: string, changes: Readonly<Record<string, string>>): Promise<void> {
    await configure(this.socket(name), changes)
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

  async #untilMember(what: string, withinMs: number, is: (member: ReportedMember) => boolean): Promise<string> {
    return await until(
      what,
      withinMs,
      async () => {
        const { reported } = await this.#askAround()
        return reported.find(is)?.name
      },
      100,
    )
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

  #machine(name: string): MemberPlan {
    return this.#neighbours.get(name) ?? this.#member(name)
  }

  #member(name: string): MemberPlan {
    const member = this.#plan.members.find((one) => one.name === name)
    if (member === undefined)
      throw new Error(`there is no ${name}; the members are ${this.#plan.members.map((one) => one.name).join(', ')}`)
    return member
  }
}
