/**
 * An Incus cluster of our own: members over real TLS that answer what the console asks in Incus's shapes, count what they
 * execute, and can be broken in every way a member breaks. It is the one fake of this project, at the far edge; the
 * conformance suite holds it against a real cluster.
 */
import { selfSigned } from '../certificate-authority.ts'
import type { KeyPair } from '../certificate-authority.ts'
import { answer, upgrade } from './answering.ts'
import { Authenticator } from './authentication.ts'
import type { ClusterParts } from './call.ts'
import { ClusterState } from './cluster-state.ts'
import { EventHub } from './events.ts'
import type { EventType, Requestor } from './events.ts'
import { FaultPoints, kindOf } from './faults.ts'
import type { ArmedFault, ExchangeFault, Fault, FaultKind } from './faults.ts'
import { Injury } from './injury.ts'
import type { Instance } from './instances.ts'
import type { Member } from './member.ts'
import { MemberServer } from './member-server.ts'
import type { Traffic } from './member-server.ts'
import { Operations } from './operations.ts'
import type { Operation } from './operations.ts'
import { settingsOf } from './options.ts'
import type { PersonAccess, Settings, StandInClusterOptions } from './options.ts'
import { Recorder } from './recorder.ts'
import type { Execution, RecordedRequest } from './recorder.ts'
import { tokenMetadata } from './routes/certificates.ts'
import { NEVER } from './times.ts'
import { encodeTrustToken } from './trust-store.ts'

/** Starts a cluster whose members all listen when the promise resolves. */
export async function startStandInCluster(options: StandInClusterOptions = {}): Promise<StandInCluster> {
  const settings = settingsOf(options)
  const certificate = options.certificate ?? clusterCertificate(settings)
  const cluster = new StandInCluster(settings, certificate, options.basePort ?? 0)
  await cluster.start()
  return cluster
}

export class StandInCluster {
  /** What the cluster database holds. Tests may change it; only `emit` and the operations tell the streams. */
  readonly state: ClusterState
  readonly operations: Operations
  readonly #settings: Settings
  readonly #events: EventHub
  readonly #recorder: Recorder
  readonly #parts: ClusterParts
  readonly #basePort: number
  readonly #faults = new FaultPoints()
  readonly #servers = new Map<Member, MemberServer>()
  readonly #broken = new Map<Member, FaultKind>()
  readonly #injury: Injury
  #cancelBeat: () => void = () => undefined
  #closed = false

  constructor(settings: Settings, certificate: KeyPair, basePort: number) {
    const state = new ClusterState(settings, certificate)
    const { clock } = settings
    this.#settings = settings
    this.#basePort = basePort
    this.state = state
    this.#events = new EventHub(clock, {
      duplicateOwn: settings.duplicateOwnEvents,
      connectionMs: settings.eventConnectionMs,
    })
    this.operations = new Operations({
      clock,
      events: this.#events,
      newId: () => state.newId(),
      keepMs: settings.operationKeepMs,
    })
    this.#recorder = new Recorder(settings.keepRequests)
    this.#injury = new Injury(state, this.operations)
    this.#parts = {
      state,
      operations: this.operations,
      events: this.#events,
      recorder: this.#recorder,
      authenticator: new Authenticator(settings, state.trust),
      presentEverywhere: () => this.#presentEverywhere(),
    }
  }

  /** Every member listens, and heartbeats begin. */
  async start(): Promise<void> {
    for (const [index, member] of this.state.members.entries()) {
      await this.#serve(member, this.#basePort === 0 ? 0 : this.#basePort + index)
    }
    this.#beat()
  }

  /** Names, in the order they joined. */
  get members(): string[] {
    return this.state.members.map(({ name }) => name)
  }

  /** `host:port` of every member. */
  get addresses(): string[] {
    return this.state.members.map(({ address }) => address)
  }

  /** PEM of what every member presents. */
  get certificate(): string {
    return this.state.certificate.certificate
  }

  /** SHA-256 of it in hex. */
  get fingerprint(): string {
    return this.state.fingerprint
  }

  get leader(): string | undefined {
    return this.state.leadership.leader?.name
  }

  /** The latest requests, oldest first; `keepRequests` of them. */
  get requests(): readonly RecordedRequest[] {
    return this.#recorder.requests
  }

  /** Every mutation that was carried out, oldest first. */
  get executions(): readonly Execution[] {
    return this.#recorder.executions
  }

  get instances(): readonly Instance[] {
    return this.state.instances
  }

  /** Open event streams. */
  get eventStreams(): number {
    return this.#events.listeners
  }

  /** `host:port`, also of a member that does not answer. */
  address(name: string): string {
    return this.state.member(name).address
  }

  port(name: string): number {
    return this.state.member(name).port
  }

  /** How much reached a member since the cluster started. */
  traffic(name: string): Readonly<Traffic> {
    return { ...this.#server(this.state.member(name)).traffic }
  }

  /** Hears of every request when its head has arrived. Returns how to stop. */
  onRequest(listener: (request: RecordedRequest) => void): () => void {
    return this.#recorder.onRequest(listener)
  }

  /** What Incus lets a person do from now on, by the name Incus has for them. */
  setAccess(name: string, access: PersonAccess): void {
    this.state.access.set(name, access)
  }

  /**
   * The token `incus config trust add <name>` prints; it can be redeemed once, on any member. Like Incus's it names only
   * the address of the member that issued it.
   */
  trustToken(name: string, options: { restricted?: boolean; projects?: readonly string[]; on?: string } = {}): string {
    const location = options.on === undefined ? this.#anyRunning() : this.state.member(options.on)
    const { restricted = false, projects = [] } = options
    const metadata = tokenMetadata(this.fingerprint, location, { name, restricted, projects })
    this.operations.start({ class: 'token', description: 'Executing operation', location, metadata })
    return encodeTrustToken({
      client_name: name,
      fingerprint: this.fingerprint,
      addresses: [location.address],
      secret: metadata.secret,
      expires_at: NEVER,
    })
  }

  /** Adds a client's certificate to the trust store, as an administrator does. Returns its fingerprint. */
  trust(
    certificate: string,
    options: { name?: string; restricted?: boolean; projects?: readonly string[] } = {},
  ): string {
    const { name = 'client', restricted = false, projects = [] } = options
    return this.state.trust.add({ certificate, name, type: 'client', restricted, projects }).fingerprint
  }

  /** Takes a certificate out of the trust store. */
  distrust(fingerprint: string): void {
    this.state.trust.remove(fingerprint)
  }

  /** What is wrong with a member, if anything. */
  faultOf(name: string): FaultKind | undefined {
    return this.#broken.get(this.state.member(name))
  }

  /** Breaks a member; a fault it has already is mended first. Resolves when the fault is in effect. */
  async break(name: string, fault: Fault): Promise<void> {
    const member = this.state.member(name)
    await this.mend(name)
    this.#broken.set(member, kindOf(fault))
    await this.#injury.inflict(member, this.#server(member), fault)
    this.#changed(member)
  }

  /** Makes a member well again. Resolves when it is. */
  async mend(name: string): Promise<void> {
    const member = this.state.member(name)
    const fault = this.#broken.get(member)
    if (fault === undefined) return
    this.#broken.delete(member)
    await this.#injury.heal(member, this.#server(member), fault)
    this.#changed(member)
  }

  async mendAll(): Promise<void> {
    for (const member of this.#broken.keys()) await this.mend(member.name)
  }

  /** Breaks one exchange at an exact byte. */
  faultAt(fault: ExchangeFault): ArmedFault {
    return this.#faults.arm(fault)
  }

  /** Sends an event from a member to every stream that may see it. */
  emit(event: {
    action: string
    source: string
    /** Default: the first member. */
    member?: string
    requestor?: Requestor
    project?: string
    name?: string
    context?: Record<string, unknown>
  }): void {
    const { member, ...rest } = event
    this.#events.lifecycle({ ...rest, location: this.#memberOrFirst(member) })
  }

  /** Sends an event of any type with any metadata. */
  emitRaw(event: { type: EventType; metadata: unknown; member?: string; project?: string }): void {
    const { type, metadata, member, project } = event
    const location = this.#memberOrFirst(member)
    this.#events.send({ type, metadata, location, ...(project === undefined ? {} : { project }) })
  }

  /** Background work on a member that goes on until it is told to end, to look at or to lose. */
  startOperation(options: {
    member: string
    description?: string
    metadata?: Record<string, unknown>
    project?: string
    resources?: Record<string, string[]>
    /** Default: it can be. */
    mayCancel?: boolean
  }): Operation {
    const { member, description = 'Executing operation', metadata, project, resources, mayCancel = true } = options
    return this.operations.start({
      class: 'task',
      description,
      location: this.state.member(member),
      mayCancel,
      ...(resources === undefined ? {} : { resources }),
      ...(metadata === undefined ? {} : { metadata }),
      ...(project === undefined ? {} : { project }),
    })
  }

  /** A new member joins, empty. */
  async addMember(name: string): Promise<void> {
    const member = this.state.join(name)
    await this.#serve(member, 0)
    this.emit({ action: 'cluster-member-added', source: `/1.0/cluster/members/${name}`, member: name })
  }

  /** A member leaves for good; its port refuses. */
  async removeMember(name: string): Promise<void> {
    const member = this.state.member(name)
    await this.mend(name)
    const server = this.#server(member)
    this.state.leave(member)
    this.operations.forgetThoseOf(member)
    this.#servers.delete(member)
    await server.close()
    this.emit({ action: 'cluster-member-removed', source: `/1.0/cluster/members/${name}` })
  }

  /** The same server under another name. */
  renameMember(from: string, to: string): void {
    this.state.member(from).name = to
    for (const instance of this.state.instances) {
      if (instance.location === from) instance.location = to
    }
    this.emit({
      action: 'cluster-member-renamed',
      source: `/1.0/cluster/members/${to}`,
      member: to,
      context: { old_name: from },
    })
  }

  /** Hands the lead of the database to a member. */
  setLeader(name: string): void {
    this.state.leadership.appoint(this.state.member(name))
  }

  /** All members present another certificate, as after `incus cluster update-certificate`. */
  replaceCertificate(pair: KeyPair): void {
    this.state.certificate = pair
    this.#presentEverywhere()
    for (const member of this.state.members) {
      this.emit({ action: 'cluster-certificate-updated', source: '/1.0/cluster/certificate', member: member.name })
    }
  }

  /** One member presents that one from its next handshake on, whatever the cluster has: it missed an update. */
  leaveBehind(name: string, pair: KeyPair): void {
    this.state.leftBehind.set(this.state.member(name), pair)
    this.#presentEverywhere()
  }

  /** A member that was left behind has what the others have. */
  catchUp(name: string): void {
    this.state.leftBehind.delete(this.state.member(name))
    this.#presentEverywhere()
  }

  /** Everything stops; no socket, thread or timer is left. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#cancelBeat()
    for (const member of this.state.members) {
      this.operations.forgetThoseOf(member)
      member.process = 'dead'
      member.changed()
    }
    await Promise.all([...this.#servers.values()].map((server) => server.close()))
  }

  async #serve(member: Member, port: number): Promise<void> {
    const server = new MemberServer({
      member,
      clock: this.#settings.clock,
      faults: this.#faults,
      certificate: this.state.certificate,
      onRequest: (request, response, wire) => void answer(this.#parts, member, request, response, wire),
      onUpgrade: (request, wire) => void upgrade(this.#parts, member, request, wire),
    })
    member.delayMs = this.#settings.answerMs
    await server.listen(port)
    this.#servers.set(member, server)
  }

  #changed(member: Member): void {
    this.state.leadership.reconsider()
    member.changed()
    this.#servers.get(member)?.wake()
    this.#events.catchUp()
    if (this.#broken.get(member) === undefined) this.state.beat()
  }

  #beat(): void {
    this.state.beat()
    this.#cancelBeat = this.#settings.clock.after(this.#settings.heartbeatMs, () => this.#beat())
  }

  #presentEverywhere(): void {
    for (const [member, server] of this.#servers) {
      if (this.#broken.get(member) === 'wrong-certificate') continue
      server.present(this.state.leftBehind.get(member) ?? this.state.certificate)
    }
  }

  #server(member: Member): MemberServer {
    const server = this.#servers.get(member)
    if (server === undefined) throw new Error(`${member.name} has not been started`)
    return server
  }

  #memberOrFirst(name: string | undefined): Member {
    const member = name === undefined ? this.state.members[0] : this.state.member(name)
    if (member === undefined) throw new Error('The cluster has no members')
    return member
  }

  #anyRunning(): Member {
    return this.state.members.find((member) => member.answering) ?? this.#memberOrFirst(undefined)
  }
}

/** As Incus makes it when a cluster is founded: named after the first member, valid for ten years. */
function clusterCertificate({ host, memberNames }: Settings): KeyPair {
  return selfSigned({
    commonName: `root@${memberNames[0] ?? 'cluster'}`,
    names: ['localhost', host, '127.0.0.1', '::1'],
  })
}
