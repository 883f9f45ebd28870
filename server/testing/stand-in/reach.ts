import { sleep } from './clock.ts'
import type { Call } from './call.ts'
import type { Member } from './member.ts'
import { IncusError } from './replies.ts'

/**
 * Goes from the answering member to another one, and waits and fails as Incus does: 6.0.4 and 7.0.2 as measured on real
 * clusters.
 *
 * @param how `forward` for what lives on that member (its state), `target` for `?target=`.
 */
export async function reach(call: Call, member: Member, how: 'forward' | 'target'): Promise<void> {
  if (member === call.via) return
  const { settings, clock } = call.state
  const offline = call.state.isOffline(member, call.via)
  if (offline && settings.seven) throw new IncusError(503, `Cluster member "${member.name}" is offline`)
  if (member.process === 'dead') {
    if (how === 'target') throw new IncusError(500, offline ? "Server isn't ready yet" : unableToConnect(member))
    if (offline) throw new IncusError(500, 'Target cluster member is unavailable')
  }
  if (!canTalk(call.via, member)) {
    const answersInTime = await answersWithin(call, member, patienceMs(call, member, how, offline))
    if (!answersInTime) throw new IncusError(500, whyNot(member, how, offline))
  }
  if (member.delayMs > 0) await sleep(clock, member.delayMs, call.left)
}

/** Whether a member answers within that time; undefined: however long it takes. Rejects when the client leaves. */
export async function answersWithin(call: Call, member: Member, ms: number | undefined): Promise<boolean> {
  if (canTalk(call.via, member)) return true
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

export function unableToConnect(member: Member): string {
  return `Unable to connect to: ${member.address} ([dial tcp ${member.address}: connect: connection refused])`
}

function patienceMs(call: Call, member: Member, how: 'forward' | 'target', offline: boolean): number | undefined {
  const { forwardWaitMs } = call.state.settings
  if (how === 'forward' || offline) return forwardWaitMs
  // A connection attempt into nothing times out; one that a stopped process accepted waits for its headers for an hour.
  return member.cutOff || call.via.cutOff ? 2 * forwardWaitMs : undefined
}

function whyNot(member: Member, how: 'forward' | 'target', offline: boolean): string {
  if (how === 'target' && !offline && member.cutOff) {
    return `Unable to connect to: ${member.address} ([dial tcp ${member.address}: i/o timeout])`
  }
  return 'Missing event connection with target cluster member'
}
