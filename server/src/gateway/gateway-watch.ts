import type { ProblemCode } from '@malleus/shared/api/problem.ts'
import type { LimitKind } from './limits.ts'
import type { MemberError, MemberErrorKind } from './member-error.ts'
import type { RequestClass } from './request.ts'

/**
 * Hears what the gateway of one cluster does, for figures. Called on the way of every request: it has to be quick, and
 * must not throw.
 */
export interface GatewayWatch {
  /** A request came to its end, after so many attempts and milliseconds. */
  carried(requestClass: RequestClass, end: CarriedEnd, attempts: number, hedged: boolean, tookMs: number): void
  /** An attempt was begun at a member. */
  begun(member: string, requestClass: RequestClass): void
  /** An attempt was answered, so many milliseconds after it was sent. */
  answered(member: string, requestClass: RequestClass, answerMs: number): void
  failed(member: string, requestClass: RequestClass, failure: AttemptFailure): void
}

/** How a request ended: answered, or with the code that the person who asked is told. */
export type CarriedEnd = 'answered' | ProblemCode

/**
 * How an attempt failed: as its MemberError says, with the answers of Incus told apart, `incus-refused` (4xx) being an
 * answer as good as any and `incus-failed` (5xx) not, and `silent`: nothing was heard while another member answered.
 */
export type AttemptFailure = Exclude<MemberErrorKind, 'incus'> | 'incus-refused' | 'incus-failed' | 'silent'

/** How much of a cluster's members and of the budget is in use at a moment. */
export interface GatewayLoad {
  /** Hedges and retries that the budget has left. */
  readonly budget: number
  /** Second attempts that were not made because it had none left, since the start. */
  readonly withheld: number
  readonly members: readonly MemberLoad[]
}

export interface MemberLoad {
  readonly member: string
  readonly kind: LimitKind
  readonly taken: number
  readonly waiting: number
  /** As many may be under way now. */
  readonly most: number
}

export function attemptFailure({ kind, status }: MemberError): AttemptFailure {
  if (kind !== 'incus') return kind
  return status !== null && status < 500 ? 'incus-refused' : 'incus-failed'
}
