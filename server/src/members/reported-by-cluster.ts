/**
 * What the cluster reports of its members, with the authority of the person who asks and never later than a fifth of a
 * second: after that, what was last known, with its age; at once while the cluster database is known not to answer. The
 * reading goes on behind and is there for the next one.
 */
import type { IncusMember } from '@malleus/shared/incus/member.ts'
import { IncusMembers } from '@malleus/shared/incus/member.ts'
import type { Target } from '@malleus/shared/domain/target.ts'
import { LRUCache } from 'lru-cache'
import { saysNotClustered } from '../clusters/not-clustered.ts'
import type { ReportedList, ReportedMembers } from '../clusters/reported-members.ts'
import { reportedList } from '../clusters/reported-members.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { MemberError } from '../gateway/member-error.ts'
import type { Answer } from '../gateway/request.ts'
import type { Scope } from '../gateway/scope.ts'
import { scopeKey } from '../gateway/scope.ts'
import type { Clock } from '../lib/clock.ts'
import { isRefusal } from '../lists/list-failure.ts'
import { PatientQuestions, whyLate } from '../lists/patient-questions.ts'
import { describeReadFailure } from './reading.ts'

export type ReportedNow =
  | { readonly kind: 'fresh'; readonly list: ReportedList; readonly answer: Answer<unknown> }
  | { readonly kind: 'stale'; readonly list: ReportedList; readonly reason: string }
  | { readonly kind: 'unavailable'; readonly reason: string }
  | { readonly kind: 'standalone'; readonly via: string | null }

export interface Asker {
  readonly scope: Scope
  readonly target: Target
}

export interface ReportedByClusterOptions {
  readonly gateway: Pick<Gateway, 'read'>
  /** What the console itself read, for those whose requests its certificate carries. */
  readonly reported: ReportedMembers
  /** Whether it is known that the cluster database answers nobody. */
  readonly isDatabaseLost: () => boolean
  /** Takes in what a person was shown, where the console cannot read by itself. */
  readonly learn: (members: readonly IncusMember[]) => void
  readonly clock: Clock
}

export class ReportedByCluster {
  readonly #options: ReportedByClusterOptions
  /** By authority: what one person was shown is never shown to another. */
  readonly #lists = new LRUCache<string, ReportedList>({ max: 1_000 })
  readonly #questions: PatientQuestions

  constructor(options: ReportedByClusterOptions) {
    this.#options = options
    this.#questions = new PatientQuestions(options.isDatabaseLost, options.clock)
  }

  /** Rejects only when Incus refuses it to this person. */
  async read(asker: Asker): Promise<ReportedNow> {
    const key = JSON.stringify([scopeKey(asker.scope), asker.target])
    const now = await this.#questions.put(key, () => this.#ask(asker))
    return now ?? this.#lastKnown(asker, whyLate)
  }

  async #ask(asker: Asker): Promise<ReportedNow> {
    const { gateway, clock, learn } = this.#options
    try {
      const answer = await gateway.read({
        class: 'read',
        scope: asker.scope,
        target: asker.target,
        path: '/cluster/members',
        query: { recursion: '1' },
        parse: IncusMembers,
      })
      const list = reportedList(answer.value, clock.now())
      this.#lists.set(scopeKey(asker.scope), list)
      learn(answer.value)
      return { kind: 'fresh', list, answer }
    } catch (error) {
      if (saysNotClustered(error))
        return { kind: 'standalone', via: error instanceof MemberError ? error.member : null }
      if (isRefusal(error)) {
        this.#lists.delete(scopeKey(asker.scope))
        throw error
      }
      return this.#lastKnown(asker, describeReadFailure(error))
    }
  }

  #lastKnown({ scope }: Asker, reason: string): ReportedNow {
    const own = this.#lists.get(scopeKey(scope))
    // What Incus told the console it told the console; whether it would tell this person, it has not said.
    const ours = scope.kind === 'bearer' ? null : this.#options.reported.latest
    const list = own !== undefined && own.at >= (ours?.at ?? 0) ? own : ours
    const why = this.#options.isDatabaseLost() ? databaseLost : reason
    if (list !== null) return { kind: 'stale', list, reason: why }
    return { kind: 'unavailable', reason: why === databaseLost ? `${databaseLost} ${nothingBefore}` : why }
  }
}

const databaseLost = 'The cluster database does not answer.'
const nothingBefore = 'It had not told you before, or this console was started since.'
