/**
 * Every change of a member, kept for thirty days: its standing and symptom, with the failure it follows from; what the
 * cluster calls it; the certificate it presents.
 *
 * Decision, 2026-11-22: nothing is thinned here, a change that is missing would be a lie about the ones around it. What
 * is bounded is the number: of a member that changes more often than 5,000 times in thirty days, the oldest go, and the
 * page says from when on they are all there. 50 such members take 45 MB.
 */
import type { MemberChange } from '@malleus/shared/api/member-health.ts'
import type { ReportedMembers } from '../clusters/reported-members.ts'
import { fingerprintOf } from '../clusters/trust.ts'
import type { HealthBoard, HealthChange } from '../health/health-board.ts'
import type { Clock } from '../lib/clock.ts'
import { instant } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import { WriteBehind } from '../lib/write-behind.ts'
import type { KeptChange, MemberChangeStore } from './member-change-store.ts'
import type { LastPresented } from './member-view.ts'

export interface MemberChangesOptions {
  readonly cluster: string
  readonly board: HealthBoard
  /** The names of the members there are. */
  readonly members: () => readonly string[]
  readonly reported: ReportedMembers
  readonly presented: (member: string) => LastPresented | null
  /** Tells the name of a member that presents another certificate than before; returns what ends it. */
  readonly onPresented: (listener: (member: string) => void) => () => void
  readonly store: MemberChangeStore
  readonly clock: Clock
  readonly logger: Logger
}

/** The changes of one member in a time. */
export interface ChangesOfMember {
  /** Newest first. */
  readonly changes: readonly MemberChange[]
  /** The last change of its standing before that. */
  readonly standingBefore: MemberChange | null
  /** From when on they are all there, where older ones had to go before their time; else null. */
  readonly since: number | null
}

export class MemberChanges {
  readonly #options: MemberChangesOptions
  readonly #behind: WriteBehind<KeptChange>
  /** What the cluster called each member, and what it presented, when that was last noted; null until it was read. */
  #known: { readonly reported: Map<string, string>; readonly presented: Map<string, string> } | null = null
  /** Members of which something was noted since the last pruning. */
  readonly #changed = new Set<string>()
  #number = 0
  #ends: (() => void)[] = []
  #cancelTick: () => void = () => {}
  #ticks = 0

  constructor(options: MemberChangesOptions) {
    this.#options = options
    this.#behind = new WriteBehind<KeptChange>({
      keyOf: ({ member, number }) => `${number} ${member}`,
      write: (changes) => options.store.write(options.cluster, changes),
      most: MOST_WAITING,
      logger: options.logger,
      what: 'what changed of members',
    })
  }

  /** Begins to note. Nothing is waited for. */
  start(): void {
    const { board, reported, onPresented } = this.#options
    this.#ends = [
      board.subscribe((change) => this.#boardChanged(change)),
      reported.subscribe(() => this.#compareReported()),
      onPresented((member) => this.#comparePresented(member)),
    ]
    void this.#learnBefore()
    this.#planTick()
  }

  async stop(): Promise<void> {
    for (const end of this.#ends.splice(0)) end()
    this.#cancelTick()
    await this.#behind.flush()
  }

  /** What changed of one member from that time on. Rejects while the database cannot be read. */
  async read(member: string, from: number): Promise<ChangesOfMember> {
    await this.#behind.flush()
    const read = await this.#options.store.read(this.#options.cluster, member, from)
    const waiting = this.#behind.waiting
      .filter((each) => each.member === member && Date.parse(each.change.at) >= from)
      .map(({ change }) => change)
      .toReversed()
    const { changes, standingBefore, oldestAt, kept } = read
    return { changes: [...waiting, ...changes], standingBefore, since: kept >= MOST_OF_ONE ? oldestAt : null }
  }

  #boardChanged(change: HealthChange): void {
    if (change.kind !== 'member') return
    const { member, before, after, renamedTo } = change
    const at = instant(this.#options.clock.now())
    if (after === null) {
      if (renamedTo === undefined) this.#note(member, { kind: 'left', at })
      return
    }
    if (after.standing === before?.standing && after.symptom === before.symptom) return
    // Before the first measurement there is nothing that could have changed.
    if (after.standing === 'unknown' && before === null) return
    const isFirst = before === null || before.standing === 'unknown'
    this.#note(member, {
      kind: 'standing',
      at,
      before: isFirst ? null : { standing: before.standing, symptom: before.symptom },
      after: { standing: after.standing, symptom: after.symptom },
      reason: after.failure && { phase: after.failure.phase, message: after.failure.message },
    })
  }

  #compareReported(): void {
    for (const [member, { status }] of this.#options.reported.latest?.rows ?? []) {
      const at = instant(this.#options.clock.now())
      this.#compare(this.#known?.reported, member, status, (before) => ({
        kind: 'reported',
        at,
        before,
        after: status,
      }))
    }
  }

  #comparePresented(member: string): void {
    const presented = this.#options.presented(member)
    if (presented === null) return
    const after = fingerprintOf(presented.certificate)
    const at = instant(this.#options.clock.now())
    this.#compare(this.#known?.presented, member, after, (before) => ({ kind: 'certificate', at, before, after }))
  }

  #comparePresentedOfAll(): void {
    for (const member of this.#options.members()) this.#comparePresented(member)
  }

  #compare(
    known: Map<string, string> | undefined,
    member: string,
    now: string,
    changeFrom: (before: string | null) => MemberChange,
  ): void {
    const before = known?.get(member) ?? null
    if (known === undefined || before === now) return
    known.set(member, now)
    this.#note(member, changeFrom(before))
  }

  #note(member: string, change: MemberChange): void {
    this.#number += 1
    this.#changed.add(member)
    this.#behind.put({ member, number: this.#number, change })
    void this.#behind.flush()
  }

  /** What was noted by an earlier run, so that only what is different now is a change. */
  async #learnBefore(): Promise<void> {
    const { store, cluster, logger } = this.#options
    try {
      const latest = await store.latest(cluster)
      const known = { reported: new Map<string, string>(), presented: new Map<string, string>() }
      for (const { member, change } of latest) {
        if (change.kind === 'reported') known.reported.set(member, change.after)
        if (change.kind === 'certificate') known.presented.set(member, change.after)
      }
      this.#known = known
    } catch (error) {
      logger.warn({ err: error }, 'what changed of members in earlier runs could not be read')
      return
    }
    this.#compareReported()
    this.#comparePresentedOfAll()
  }

  #planTick(): void {
    this.#cancelTick = this.#options.clock.after(TICK_MS, () => {
      this.#planTick()
      this.#ticks += 1
      if (this.#known === null) void this.#learnBefore()
      // Of one that was found under its address, what it presents was told by that name.
      this.#comparePresentedOfAll()
      void this.#behind.flush()
      if (this.#ticks % TICKS_UNTIL_PRUNED === 1) void this.#prune()
    })
  }

  async #prune(): Promise<void> {
    const { store, cluster, clock, logger } = this.#options
    const members = [...this.#changed]
    this.#changed.clear()
    try {
      await store.prune(cluster, clock.now() - KEPT_MS, members, MOST_OF_ONE)
    } catch (error) {
      for (const member of members) this.#changed.add(member)
      logger.warn({ err: error }, 'old changes of members could not be removed')
    }
  }
}

const KEPT_MS = 30 * 86_400_000
const MOST_OF_ONE = 5_000
const TICK_MS = 10_000
const TICKS_UNTIL_PRUNED = 30
const MOST_WAITING = 10_000
