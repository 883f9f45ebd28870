import type { ProbePhase } from '@malleus/shared/domain/health.ts'
import type { MemberErrorKind } from '../../src/gateway/member-error.ts'
import { MemberError, describeSilence } from '../../src/gateway/member-error.ts'

/** What a socket throws; the shipped code reads its `code`. */
export function socketError(code: string): Error {
  return Object.assign(new Error(code), { code })
}

/** What the transport says of a connection that did not come as far as it should. */
export function cutShort(kind: MemberErrorKind, member: string, phase: ProbePhase): MemberError {
  return new MemberError({ kind, member, phase, sent: phase === 'answer', message: describeSilence(member, phase) })
}
