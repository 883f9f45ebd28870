import type { Clock } from './clock.ts'
import type { Member } from './member.ts'
import { IncusError } from './replies.ts'

const MAX_VOTERS = 3
const MAX_STANDBYS = 2

export interface LeadershipParts {
  clock: Clock
  members: () => readonly Member[]
  takeoverMs: number
  stuckLeaderMs: number
  leaderLeaseMs: number
  leaderLookupMs: number
  databaseWaitMs: number
}

/**
 * Who leads the cluster database, and when it answers. A leader that died is replaced after some seconds. One that is
 * stopped or cut off is replaced as quickly among the members, but the API's calls stay on their connection to it and
 * stand still much longer. Without a quorum a leader that is left answers for some seconds more; then calls wait in vain,
 * those that want to know who leads (the list of members) for a shorter time than the others. That is what a real cluster
 * does (measured with 6.0.4).
 */
export class Leadership {
  readonly #parts: LeadershipParts
  #voters: Member[] = []
  #leader: Member | undefined
  /** The database answers no call before this time. */
  #blockedUntil = 0
  /** Since when there is no quorum. */
  #quorumLostAt: number | undefined
  #cancelTakeover: (() => void) | undefined
  readonly #watchers = new Set<() => void>()

  constructor(parts: LeadershipParts) {
    this.#parts = parts
  }

  get leader(): Member | undefined {
    return this.#leader
  }

  /** Roles as the members list shows them. */
  rolesOf(member: Member): string[] {
    if (member === this.#leader) return ['database-leader', 'database']
    if (this.#voters.includes(member)) return ['database']
    return this.#standbys.includes(member) ? ['database-standby'] : []
  }

  isVoter(member: Member): boolean {
    return this.#voters.includes(member)
  }

  /** Hands the lead over, as a clean transfer does. */
  appoint(member: Member): void {
    this.#leader = member
    if (!this.#voters.includes(member)) {
      this.#voters = [member, ...this.#voters.slice(0, mostVoters(this.#parts.members().length) - 1)]
    }
    this.#blockedUntil = 0
    this.reconsider()
  }

  /** To be called when members come, go, break or mend. */
  reconsider(): void {
    const members = this.#parts.members()
    this.#voters = this.#voters.filter((voter) => members.includes(voter))
    for (const member of members) {
      if (this.#voters.length >= mostVoters(members.length)) break
      if (!this.#voters.includes(member) && member.answering) this.#voters.push(member)
    }
    if (this.#leader === undefined || !members.includes(this.#leader)) this.#leader = this.#candidate()
    if (this.#leader?.answering === false) this.#lose(this.#leader)
    else this.#keep()
    this.#quorumLostAt = this.#hasQuorum ? undefined : (this.#quorumLostAt ?? this.#parts.clock.now())
    this.#tell()
  }

  /**
   * Resolves when the database answers this member; throws what Incus answers when it does not in time.
   *
   * @param looksUpLeader whether the call wants to know who leads
   */
  async database(from: Member, signal: AbortSignal, looksUpLeader = false): Promise<void> {
    const { clock, databaseWaitMs, leaderLookupMs, leaderLeaseMs } = this.#parts
    const askedAt = clock.now()
    while (true) {
      const now = clock.now()
      const quorum = this.#hasQuorum && from.answering
      const leaseEnds = (this.#quorumLostAt ?? -Infinity) + leaderLeaseMs
      const leads = this.#leader?.answering === true && from.answering && (quorum || now < leaseEnds)
      if (leads && now >= this.#blockedUntil) return
      // Only once it is known that nobody leads is the question who does given up sooner than the others.
      const isLookup = looksUpLeader && askedAt >= (this.#quorumLostAt ?? Infinity) + leaderLookupMs
      const deadline = askedAt + (isLookup ? leaderLookupMs : databaseWaitMs)
      if (!quorum && now >= deadline) throw isLookup ? leaderUnknown() : noLeader()
      const until = quorum ? this.#blockedUntil : deadline
      await this.#changeOr(until > now ? until - now : undefined, signal)
    }
  }

  get #standbys(): Member[] {
    return this.#parts
      .members()
      .filter((member) => !this.#voters.includes(member))
      .slice(0, MAX_STANDBYS)
  }

  get #hasQuorum(): boolean {
    const answering = this.#voters.filter((voter) => voter.answering).length
    return answering > this.#voters.length / 2
  }

  #candidate(): Member | undefined {
    return this.#voters.find((voter) => voter.answering) ?? this.#parts.members().find((member) => member.answering)
  }

  #lose(lost: Member): void {
    if (this.#cancelTakeover !== undefined) return
    const { clock, takeoverMs, stuckLeaderMs } = this.#parts
    const silent = lost.process === 'stopped' || lost.cutOff
    this.#blockedUntil = clock.now() + (silent ? stuckLeaderMs : takeoverMs)
    this.#cancelTakeover = clock.after(takeoverMs, () => {
      this.#cancelTakeover = undefined
      if (!this.#hasQuorum) return
      this.#leader = this.#candidate()
      this.#tell()
    })
  }

  #keep(): void {
    this.#cancelTakeover?.()
    this.#cancelTakeover = undefined
    const everyVoterAnswers = this.#voters.every((voter) => voter.answering)
    if (everyVoterAnswers) this.#blockedUntil = 0
  }

  #changeOr(ms: number | undefined, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        cancel?.()
        this.#watchers.delete(finish)
        signal.removeEventListener('abort', abort)
        resolve()
      }
      const abort = (): void => {
        cancel?.()
        this.#watchers.delete(finish)
        reject(new Error('The client left'))
      }
      const cancel = ms === undefined ? undefined : this.#parts.clock.after(ms, finish)
      this.#watchers.add(finish)
      if (signal.aborted) abort()
      else signal.addEventListener('abort', abort, { once: true })
    })
  }

  #tell(): void {
    for (const tell of this.#watchers) tell()
  }
}

/** Two members cannot outvote each other, so below three there is one voter. */
function mostVoters(members: number): number {
  return members < MAX_VOTERS ? 1 : MAX_VOTERS
}

function leaderUnknown(): IncusError {
  return new IncusError(500, 'context deadline exceeded')
}

function noLeader(): IncusError {
  return new IncusError(
    503,
    'Failed to begin transaction: failed to create cowsql connection: no available cowsql leader server found',
  )
}
