import { MemberError, NoResponsiveMember } from '../gateway/member-error.ts'

/** Incus knows the person and says no, or does not take their sign-in: old rows must not hide that. */
export function isRefusal(error: unknown): boolean {
  if (!(error instanceof MemberError)) return false
  return error.code === 'cluster_rejected_token' || error.status === 401 || error.status === 403
}

/** Why a list could not be read, as a sentence for people. */
export function describeListFailure(error: unknown): string {
  const cause = error instanceof NoResponsiveMember ? (error.failures.at(-1) ?? error) : error
  const message = cause instanceof Error ? cause.message : String(cause)
  if (cause instanceof MemberError && cause.kind === 'incus') return `The cluster answered: ${message}`
  return /[.!?]$/.test(message) ? message : `${message}.`
}
