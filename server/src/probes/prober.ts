import type { ProbeRecord } from '@malleus/shared/api/members.ts'
import type { ProbeRequest, Transport } from '../gateway/transport.ts'
import type { HealthBoard } from '../health/health-board.ts'
import type { Clock } from '../lib/clock.ts'
import type { Random } from '../lib/random.ts'
import { Subscribable } from '../lib/subscribable.ts'
import type { ClockSkew } from './clock-skew.ts'
import { HeldUp } from './held-up.ts'
import type { LastPresented } from './member-probes.ts'
import { MemberProbes } from './member-probes.ts'

export interface ProberOptions {
  readonly transport: Pick<Transport, 'probe'>
  readonly board: HealthBoard
  readonly mode: 'bearer' | 'certificate'
  /** Whether the cluster knows this console by an identity of its own, without which nothing deep can be asked. */
  readonly deep: boolean
  /** Path of a deep question about a member, with `/1.0`. Default: the member itself, which is a row of the database. */
  readonly deepPath?: (member: string) => string
  /** Hears how long each answer to a light question took, in milliseconds; for figures. */
  readonly onAnswered?: (answerMs: number) => void
  readonly clock: Clock
  readonly random: Random
}

/** A member as the directory lists it. */
export type ProbedMember = ProbeRequest['member'] & { readonly contacted: boolean }

/** A probe that has ended, and whom it asked. */
export interface EndedProbe {
  readonly member: string
  readonly record: ProbeRecord
}

/**
 * Probes the members of one cluster and reports to its board; asks at once when requests give reason to doubt one.
 * Nothing is asked before `start`, and nothing after `stop`.
 */
export class Prober {
  readonly #options: ProberOptions
  readonly #heldUp: HeldUp
  /** Addresses of those that were late and are asked again at once. */
  readonly #askedSoon = new Set<string>()
  readonly #presentedChanges = new Subscribable<string>()
  readonly #records = new Subscribable<EndedProbe>()
  readonly #probes = new Map<string, MemberProbes>()
  #members: readonly ProbedMember[] = []
  #unsubscribe: (() => void) | null = null

  constructor(options: ProberOptions) {
    this.#options = options
    this.#heldUp = new HeldUp(options.clock)
  }

  /** Begins to ask the members given, and those given later by `follow`. */
  start(): void {
    this.#unsubscribe ??= this.#options.board.subscribe((change) => {
      if (change.kind !== 'member' || change.after === null) return
      // A probe that answers or fails ends the doubt or confirms it; only what requests saw is news to us.
      if (change.after.evidence.doubted && change.before?.evidence.doubted !== true) this.hurry(change.member)
    })
    this.follow(this.#members)
  }

  stop(): void {
    this.#unsubscribe?.()
    this.#unsubscribe = null
    for (const probes of this.#probes.values()) probes.stop()
    this.#probes.clear()
    this.#askedSoon.clear()
  }

  /**
   * Takes these as the members. One that answers at the same address under another name goes on as it was. The board
   * has to know them already.
   */
  follow(members: readonly ProbedMember[]): void {
    this.#members = members
    if (this.#unsubscribe === null) return
    const wanted = new Map(members.filter(({ contacted }) => contacted).map((member) => [addressOf(member), member]))
    for (const [address, probes] of this.#probes) {
      if (wanted.has(address)) continue
      probes.stop()
      this.#probes.delete(address)
      this.#askedSoon.delete(address)
    }
    for (const [address, member] of wanted) {
      const known = this.#probes.get(address)
      if (known === undefined) this.#begin(address, member)
      else known.rename(member)
    }
  }

  /** Asks a member now, because somebody has reason to doubt it. */
  hurry(member: string): void {
    this.#of(member)?.hurry()
  }

  /** Looks at what a member presents now, unless it is being asked already. */
  look(member: string): void {
    this.#of(member)?.look()
  }

  /** Has everybody ask the cluster database now: a member that holds it may be lost, and the database with it. */
  askDatabase(): void {
    for (const probes of this.#probes.values()) probes.hurryDeep()
  }

  /** Asks everybody now, on new connections: what is trusted has changed. */
  askAllAnew(): void {
    for (const probes of this.#probes.values()) probes.hurry()
  }

  /** The most recent probes of a member, newest first. */
  records(member: string): readonly ProbeRecord[] {
    return this.#of(member)?.records ?? []
  }

  /** The certificate a member presented in the last handshake that came that far; null before there was one. */
  presented(member: string): LastPresented | null {
    return this.#of(member)?.presented ?? null
  }

  /** How far a member's clock is ahead of this console's; null before it answered. */
  clockSkew(member: string): ClockSkew | null {
    return this.#of(member)?.skew ?? null
  }

  /** Why a member refuses the console's identity, in Incus's words; null when it does not. */
  identityRefused(member: string): string | null {
    return this.#of(member)?.identityRefused ?? null
  }

  /** Hears the name of a member that presents another certificate than before, or one that is judged otherwise. */
  onPresented(listener: (member: string) => void): () => void {
    return this.#presentedChanges.subscribe(listener)
  }

  /** Hears every probe that has ended. */
  onRecord(listener: (ended: EndedProbe) => void): () => void {
    return this.#records.subscribe(listener)
  }

  #of(member: string): MemberProbes | undefined {
    const known = this.#members.find(({ name }) => name === member)
    return known && this.#probes.get(addressOf(known))
  }

  /** Where many are late at once, it is not them, and asking all of them again would only make it worse. */
  #maySoon(address: string, wants: boolean): boolean {
    if (!wants || (!this.#askedSoon.has(address) && this.#askedSoon.size >= MOST_ASKED_SOON)) {
      this.#askedSoon.delete(address)
      return false
    }
    this.#askedSoon.add(address)
    return true
  }

  /** Asks some other member that is well: if that is late too, it is not the member. */
  #askBeside(late: string): void {
    const { board, random } = this.#options
    const others = this.#members.filter(({ name }) => name !== late && board.current(name).standing === 'healthy')
    const witness = others[Math.floor(random.fraction() * others.length)]
    if (witness !== undefined) this.#of(witness.name)?.askBeside()
  }

  #begin(address: string, member: ProbedMember): void {
    const { deepPath = memberPath, onAnswered = () => {}, ...options } = this.#options
    const probes = new MemberProbes(member, {
      ...options,
      deepPath,
      onAnswered,
      heldUp: this.#heldUp,
      onLate: (name) => this.#askBeside(name),
      maySoon: (wants) => this.#maySoon(address, wants),
      members: () => this.#members.length,
      onPresented: (name) => this.#presentedChanges.publish(name),
      onRecord: (name, record) => this.#records.publish({ member: name, record }),
    })
    this.#probes.set(address, probes)
    probes.start()
  }
}

const MOST_ASKED_SOON = 8

function addressOf({ endpoint }: ProbedMember): string {
  return JSON.stringify([endpoint.host, endpoint.port])
}

function memberPath(member: string): string {
  return `/1.0/cluster/members/${encodeURIComponent(member)}`
}
