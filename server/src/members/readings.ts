/**
 * What the console itself reads in the background, with its own identity: of each member its load, pools, memory and
 * version. Each reading has its own deadline and its own age, and none of them ever keeps a page waiting.
 */
import { IncusTrustEntry } from '@malleus/shared/incus/certificate.ts'
import { IncusMemberState } from '@malleus/shared/incus/member.ts'
import { IncusResources } from '@malleus/shared/incus/resources.ts'
import { IncusServer } from '@malleus/shared/incus/server.ts'
import type { KnownMember, MemberDirectory } from '../clusters/member-directory.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { ReadRequest } from '../gateway/request.ts'
import type { HealthBoard } from '../health/health-board.ts'
import type { Clock } from '../lib/clock.ts'
import type { Random } from '../lib/random.ts'
import { jittered } from '../lib/random.ts'
import { Subscribable } from '../lib/subscribable.ts'
import type { Reading } from './reading.ts'
import { describeReadFailure, nextReading, notReadYet } from './reading.ts'

export interface ReadingsOptions {
  readonly gateway: Pick<Gateway, 'read'>
  readonly directory: MemberDirectory
  readonly board: HealthBoard
  /** SHA-256 of the console's client certificate as it is now; null where it has none. */
  readonly identity: () => string | null
  readonly clock: Clock
  readonly random: Random
}

/** How often each kind is read, in milliseconds. Incus asks every pool's driver for a state, so not more often. */
export const readEveryMs = {
  state: 15_000,
  resources: 60_000,
  server: 60_000,
  identity: 60_000,
} as const

export interface MemberReadings {
  readonly state: Reading<IncusMemberState>
  readonly resources: Reading<IncusResources>
  readonly server: Reading<IncusServer>
}

export const noIdentity =
  'This console has no identity of its own in the cluster (identity: in the configuration), so it cannot read it.'

const nothing: MemberReadings = { state: notReadYet, resources: notReadYet, server: notReadYet }
const cannot: Reading<never> = { value: null, readAt: null, failure: noIdentity }
const cannotAny: MemberReadings = { state: cannot, resources: cannot, server: cannot }

/**
 * The readings of a member as they count now: while nothing can be had, what was told last is old at once, and not only
 * after it was asked for again in vain.
 *
 * @param silence why the member gives no answer, as a sentence; null while it does
 * @param loss why nobody answers what goes through the cluster database, as a member's state does; null while somebody does
 */
export function lastTold(
  { state, resources, server }: MemberReadings,
  silence: string | null,
  loss: string | null,
): MemberReadings {
  return {
    state: because(state, silence ?? loss),
    resources: because(resources, silence),
    server: because(server, silence),
  }
}

/** What could never be read at all says why itself. */
function because<Value>(reading: Reading<Value>, failure: string | null): Reading<Value> {
  if (failure === null || (reading.value === null && reading.failure !== null)) return reading
  return { ...reading, failure }
}

export class Readings {
  readonly #options: ReadingsOptions
  readonly #servers = new Subscribable<{ readonly member: string; readonly server: IncusServer }>()
  #members = new Map<string, MemberReadings>()
  #identity: Reading<IncusTrustEntry> = notReadYet
  #cancels: (() => void)[] = []
  #stopped = true

  constructor(options: ReadingsOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#options.identity() === null) return
    this.#stopped = false
    const { board, directory } = this.#options
    this.#every(readEveryMs.state, () => this.#readAll((member) => this.#readState(member)))
    this.#every(readEveryMs.resources, () => this.#readAll((member) => this.#readSlowly(member)))
    this.#every(readEveryMs.identity, () => void this.#readIdentity())
    this.#cancels.push(
      // Who is new, or answers again, is read at once: old values of a server that is back would look like a fault.
      board.subscribe((change) => {
        if (change.kind !== 'member' || change.after === null) return
        const answers = (standing: string | undefined) => standing === 'healthy' || standing === 'probation'
        if (answers(change.after.standing) && !answers(change.before?.standing)) this.#readMember(change.member)
      }),
      directory.subscribe((members) => this.#retain(members)),
    )
  }

  stop(): void {
    this.#stopped = true
    for (const cancel of this.#cancels.splice(0)) cancel()
  }

  of(member: string): MemberReadings {
    return this.#options.identity() !== null ? (this.#members.get(member) ?? nothing) : cannotAny
  }

  /** Why the instances are not all there are; null when they are. */
  get instancesInPart(): string | null {
    const { value } = this.#identity
    if (value === null || value.restricted !== true) return null
    const where = value.projects.length === 0 ? 'no project' : `these projects: ${value.projects.join(', ')}`
    return `The console's own identity is restricted to ${where}, so it cannot count all instances.`
  }

  /** The entry of the console's own certificate in the trust store. */
  get identity(): Reading<IncusTrustEntry> {
    return this.#options.identity() === null ? cannot : this.#identity
  }

  /** The newest thing any member said of itself as a server of this cluster; null before one did. */
  get anyServer(): Reading<IncusServer> {
    if (this.#options.identity() === null) return cannot
    const read = [...this.#members.values()].map(({ server }) => server)
    return read.toSorted((a, b) => (b.readAt ?? 0) - (a.readAt ?? 0))[0] ?? notReadYet
  }

  /** Asks every member what it is now: after an event that says that the certificate or the configuration changed. */
  refreshServers(): void {
    if (!this.#stopped) this.#readAll((member) => this.#readServer(member))
  }

  /** Hears each time a member said what it is. The connection it was said on had been verified before. */
  onServer(listener: (said: { readonly member: string; readonly server: IncusServer }) => void): () => void {
    return this.#servers.subscribe(listener)
  }

  #every(everyMs: number, read: () => void): void {
    const again = (): void => {
      read()
      const next = this.#options.clock.after(jittered(everyMs, 0.1, this.#options.random), () => {
        this.#cancels = this.#cancels.filter((cancel) => cancel !== next)
        again()
      })
      this.#cancels.push(next)
    }
    again()
  }

  #readAll(read: (member: string) => void): void {
    for (const { name, contacted } of this.#options.directory.list()) if (contacted) read(name)
  }

  #readMember(member: string): void {
    this.#readState(member)
    this.#readSlowly(member)
  }

  #readSlowly(member: string): void {
    this.#readServer(member)
    void this.#read(member, 'resources', { class: 'list', path: '/resources', parse: IncusResources })
  }

  #readState(member: string): void {
    const path = `/cluster/members/${encodeURIComponent(member)}/state`
    void this.#read(member, 'state', { class: 'read', path, parse: IncusMemberState })
  }

  #readServer(member: string): void {
    void this.#read(member, 'server', { class: 'read', path: '', parse: IncusServer }, (server) =>
      this.#servers.publish({ member, server }),
    )
  }

  async #read<Kind extends keyof MemberReadings>(
    member: string,
    kind: Kind,
    request: Pick<ReadRequest<NonNullable<MemberReadings[Kind]['value']>>, 'class' | 'path' | 'parse'>,
    then: (value: NonNullable<MemberReadings[Kind]['value']>) => void = () => {},
  ): Promise<void> {
    const { gateway, clock, directory } = this.#options
    const target = { kind: 'member', name: member } as const
    const read = await gateway.read({ ...request, scope: { kind: 'console' }, target }).then(
      ({ value }) => ({ value }),
      (error: unknown) => ({ failure: describeReadFailure(error) }),
    )
    if (this.#stopped || directory.get(member) === undefined) return
    const before = this.#members.get(member) ?? nothing
    this.#members.set(member, { ...before, [kind]: nextReading<unknown>(before[kind], read, clock.now()) })
    if ('value' in read) then(read.value)
  }

  async #readIdentity(): Promise<void> {
    const { gateway, clock, identity } = this.#options
    const common = { class: 'read', scope: { kind: 'console' }, target: { kind: 'any' } } as const
    const read = await gateway
      .read({ ...common, path: `/certificates/${identity() ?? ''}`, parse: IncusTrustEntry })
      .then(
        ({ value }) => ({ value }),
        (error: unknown) => ({ failure: describeReadFailure(error) }),
      )
    this.#identity = nextReading(this.#identity, read, clock.now())
  }

  #retain(members: readonly KnownMember[]): void {
    const names = new Set(members.map(({ name }) => name))
    const before = this.#members
    this.#members = new Map([...before].filter(([name]) => names.has(name)))
    for (const { name, contacted } of members) if (contacted && !before.has(name)) this.#readMember(name)
  }
}
