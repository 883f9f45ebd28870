import type { Member } from '@malleus/shared/api/members.ts'
import type { Target } from '@malleus/shared/domain/target.ts'
import { formatTarget } from '@malleus/shared/domain/target.ts'
import { formatDuration, formatMs } from '../lib/time.ts'
import { headlineOf, isUsable, stateOf } from './member-words.ts'

interface Group {
  readonly name: string
  readonly members: readonly string[]
}

/** The target on its button. */
export function targetLabel(target: Target): string {
  return formatTarget(target) ?? 'Any responsive server'
}

/** Why nothing can enter through the target now, or nothing if it can. */
export function targetTrouble(
  target: Target,
  members: readonly Member[],
  groups: readonly Group[],
): string | undefined {
  if (target.kind === 'any' || members.length === 0) return undefined
  if (target.kind === 'member') {
    const member = members.find(({ name }) => name === target.name)
    if (member === undefined) return `There is no server ${target.name} in this cluster`
    return isUsable(member) ? undefined : headlineOf(member)
  }
  const group = groups.find(({ name }) => name === target.name)
  if (group === undefined) return `There is no group @${target.name} in this cluster`
  if (group.members.length === 0) return `The group @${target.name} has no servers`
  const usable = members.some((member) => group.members.includes(member.name) && isUsable(member))
  return usable ? undefined : `No server of @${target.name} answers`
}

/** Whether something can enter through the target now; unknown before the servers are known. */
export function targetTone(
  target: Target,
  members: readonly Member[] = [],
  groups: readonly Group[] = [],
): 'good' | 'bad' | 'unknown' {
  if (members.length === 0) return 'unknown'
  return members.some(isUsable) && targetTrouble(target, members, groups) === undefined ? 'good' : 'bad'
}

/** What is known of a server in one line of the picker, or why it cannot be used. */
export function targetFacts(member: Member, now: number): string {
  if (!isUsable(member)) return whyNot(member, now)
  const status = member.reported.value?.status
  const load = member.load.value
  const memory = member.memory.value
  const instances = member.instances.value
  const facts = [
    status !== undefined && status !== 'Online' ? status.toLowerCase() : undefined,
    load === null ? undefined : `${(load.average1 / Math.max(1, load.cores)).toFixed(2)} load/core`,
    memory === null || memory.totalBytes <= 0
      ? undefined
      : `${Math.round((100 * memory.usedBytes) / memory.totalBytes)}% mem`,
    instances === null ? undefined : `${instances.count} inst.`,
  ]
  return facts.filter((fact) => fact !== undefined).join(' · ')
}

function whyNot(member: Member, now: number): string {
  if (member.notContacted !== null) return 'not contacted'
  const word = stateOf(member).word.toLowerCase()
  if (member.health.standing === 'untrusted') return word
  return `${word} ${formatDuration(now - Date.parse(member.health.answeredAt ?? member.health.since))}`
}

export function targetAnswer(member: Member): string {
  return isUsable(member) && member.health.answerMs !== null ? formatMs(member.health.answerMs) : ''
}
