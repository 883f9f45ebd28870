import { z } from 'zod'
import { listMembers } from '@malleus/shared/api/members.ts'
import type { Outcome } from './timed-read.ts'

/** What a read of the members list brought: all of it, all of it but marked as old, or not what was asked for. */
export type ListAnswer = 'fresh' | 'stale' | 'none'

const IncusList = z.object({ metadata: z.array(z.object({ server_name: z.string() })) })

/** Judges an answer of the console or of a member. Only a whole list of that many members is one. */
export function readListAnswer(outcome: Outcome, members: number): ListAnswer {
  if (outcome.kind === 'failed' || outcome.status !== 200) return 'none'
  const body: unknown = parsed(outcome.body)
  const consoleList = listMembers.reply.safeParse(body)
  if (consoleList.success) {
    const kinds = consoleList.data.members.map(({ reported }) => reported.freshness.kind)
    if (kinds.length !== members || kinds.includes('unavailable')) return 'none'
    return kinds.includes('stale') ? 'stale' : 'fresh'
  }
  const incusList = IncusList.safeParse(body)
  return incusList.success && incusList.data.metadata.length === members ? 'fresh' : 'none'
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
