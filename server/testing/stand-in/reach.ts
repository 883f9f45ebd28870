import { sleep } from './clock.ts'
import type { Call } from './call.ts'
import type { Member } from './member.ts'
import { IncusError } from './replies.ts'

/**
 * Goes from the answering member to another one, and waits and fails as measured on 6.0.4.
 *
 * Members reach each other only over a connection whose event stream stands. A dead member's is gone at once, and a call
 * waits in vain for it; after a heartbeat has failed too, it does not wait any more. A stopped member's stands until its
 * pings have gone unanswered, and until then a call goes out and waits for its answer without limit.
 */
export async function reach(call: Call, member: Member): Promise<void> {
  if (member === call.via) return
  const { settings, clock } = call.state
  if (settings.seven && call.state.isOffline(member, call.via)) {
    throw new IncusError(503, `Cluster member "${member.name}" is offline`)
  }
  if (member.heartbeatRefused) throw new IncusError(500, "Server isn't ready yet")
  const { patienceMs, text } = silenceOf(call, member)
  if (!(await answersWithin(call, member, patienceMs))) throw new IncusError(500, text)
  if (member.delayMs > 0) await sleep(clock, member.delayMs, call.left)
}

/** Whether a member answers within that time; undefined: however long it takes. Rejects when the client leaves. */
export async function answersWithin(call: Call, member: Member, ms: number | undefined): Promise<boolean> {
  const deadline = ms === undefined ? undefined : call.state.clock.now() + ms
  while (!canTalk(call.via, member)) {
    const now = call.state.clock.now()
    if (deadline !== undefined && now >= deadline) return false
    await member.changeOr(deadline === undefined ? undefined : deadline - now, call.left)
  }
  return true
}

export function canTalk(from: Member, to: Member): boolean {
  return from === to || (to.answering && !from.cutOff)
}

/** What a call to a dead member says when nobody waits for event streams. */
export function unableToConnect(member: Member): string {
  return `Unable to connect to: ${member.address} ([dial tcp ${member.address}: connect: connection refused])`
}

/** How long a call to a silent member waits, and what it says then. */
function silenceOf(call: Call, member: Member): { patienceMs: number | undefined; text: string } {
  const { forwardWaitMs, eventConnectionMs } = call.state.settings
  const missing = { patienceMs: forwardWaitMs, text: 'Missing event connection with target cluster member' }
  if (member.process === 'dead') return missing
  const silentSince = member.silentSince ?? call.via.silentSince
  if (silentSince !== undefined && call.state.clock.now() - silentSince >= eventConnectionMs) return missing
  if (!member.cutOff && !call.via.cutOff) return { patienceMs: undefined, text: '' }
  const { address } = member
  return {
    patienceMs: 2 * forwardWaitMs,
    text: `Unable to connect to: ${address} ([dial tcp ${address}: i/o timeout])`,
  }
}
