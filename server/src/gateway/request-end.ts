import { MemberError, NoResponsiveMember, OutcomeUnknown } from './member-error.ts'
import type { RequestClass, ReadRequest } from './request.ts'
import type { Scope } from './scope.ts'

/** How a request ended, and which members had to do with it. */
export interface RequestEnd {
  readonly class: RequestClass
  /** On whose behalf it was made. */
  readonly scope: Scope['kind']
  /** Who answered, with whatever; null when nobody did. */
  readonly via: string | null
  /** Members that were to answer it and did not: they were asked in vain, or were known not to answer. */
  readonly silent: readonly string[]
  readonly tookMs: number
}

/** What a failed request says of the members; null when it says nothing: it was given up, or never became one. */
export function endOf(
  error: unknown,
  { target }: Pick<ReadRequest<unknown>, 'target'>,
): Pick<RequestEnd, 'via' | 'silent'> | null {
  if (error instanceof OutcomeUnknown) return { via: null, silent: [error.member] }
  if (error instanceof MemberError) {
    return error.status === null ? null : { via: error.member, silent: [] }
  }
  if (!(error instanceof NoResponsiveMember) || error.code === 'member_busy') return null
  const asked = silentAmong(error.failures)
  return { via: null, silent: asked.length === 0 && target.kind === 'member' ? [target.name] : asked }
}

/** The members whose attempts ended without an answer. */
export function silentAmong(failures: readonly MemberError[]): readonly string[] {
  const silent = failures.filter(({ kind, status }) => status === null && kind !== 'busy' && kind !== 'cancelled')
  return [...new Set(silent.map(({ member }) => member))]
}
