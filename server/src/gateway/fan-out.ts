import { MemberError, NoResponsiveMember } from './member-error.ts'

/** What one member had to say, or why there is nothing from it. */
export type Part<Value> =
  | { readonly kind: 'fresh'; readonly value: Value; readonly answerMs: number }
  /** `error` is the failure of the attempt; null when the member was not asked. */
  | { readonly kind: 'unavailable'; readonly reason: string; readonly error: MemberError | null }

export interface FanOutOptions<Value> {
  readonly members: readonly string[]
  /** Why a member is not asked, in words; null when it is. */
  readonly whyNot: (member: string) => string | null
  /** What it rejects with becomes the member's part. */
  readonly ask: (member: string) => Promise<{ readonly value: Value; readonly answerMs: number }>
}

/**
 * Asks each member for its own part, all at once, and never rejects: a member that fails is `unavailable`, and the
 * others are not kept waiting by more than the deadline of a single question.
 */
export async function fanOut<Value>(options: FanOutOptions<Value>): Promise<ReadonlyMap<string, Part<Value>>> {
  const parts = await Promise.all(options.members.map(async (member) => [member, await part(member, options)] as const))
  return new Map(parts)
}

async function part<Value>(member: string, { whyNot, ask }: FanOutOptions<Value>): Promise<Part<Value>> {
  const reason = whyNot(member)
  if (reason !== null) return { kind: 'unavailable', reason, error: null }
  try {
    return { kind: 'fresh', ...(await ask(member)) }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const failure = error instanceof NoResponsiveMember ? error.failures.at(-1) : error
    return { kind: 'unavailable', reason, error: failure instanceof MemberError ? failure : null }
  }
}
