import type { ClusterSummary } from '@malleus/shared/api/clusters.ts'
import type { evacuationModes, Member, restoreModes } from '@malleus/shared/api/members.ts'
import { canEvacuate, canRestore, type Possibility } from '@malleus/shared/domain/possibilities.ts'
import { formatBytes } from '../lib/bytes.ts'
import { listNames } from './cluster-words.ts'
import { whyReadOnly } from './database-words.ts'
import { isUsable } from './member-words.ts'

/** Taking instances away from a server and bringing them back: what it will do, whether it can, how to say it to incus. */

export type ChangeKind = 'evacuate' | 'restore'
export type EvacuationMode = (typeof evacuationModes)[number]
export type RestoreMode = (typeof restoreModes)[number]

export interface ModeWords {
  readonly title: string
  readonly text: string
}

export const evacuationModeWords: Record<EvacuationMode, ModeWords> = {
  '': {
    title: 'As each instance is set',
    text: 'Each instance does what its cluster.evacuate says. Where nothing is set, it is moved if it can be, else stopped.',
  },
  auto: {
    title: 'Automatic',
    text: 'Virtual machines that can are moved while running, the rest are stopped, moved and started; what cannot move is stopped here.',
  },
  migrate: { title: 'Move', text: 'Every instance is stopped, moved to another server and started there.' },
  'live-migrate': {
    title: 'Move while running',
    text: 'Every instance is moved without being stopped. What cannot do that makes it fail.',
  },
  stop: { title: 'Stop', text: 'Every instance is shut down and stays on this server.' },
  'stateful-stop': {
    title: 'Stop and keep the state',
    text: 'The memory of every instance is written to disk, and it stays on this server until it is restored.',
  },
  'force-stop': {
    title: 'Stop at once',
    text: 'Every instance is stopped without being asked and stays on this server. What it had not saved is lost.',
  },
}

export const restoreModeWords: Record<RestoreMode, ModeWords> = {
  '': {
    title: 'Bring instances back',
    text: 'Instances that left when it was evacuated are moved back, and those that were stopped are started.',
  },
  skip: {
    title: 'Only take it into service',
    text: 'The server takes instances again; those that left stay where they are, and nothing is started.',
  },
}

/** The command that does the same. The default mode needs no flag. */
export function equivalentCommand(cluster: string, member: string, action: ChangeKind, mode: string): string {
  const flag = mode === '' ? '' : ` --action ${mode}`
  return `incus cluster ${action} ${cluster}:${member}${flag}`
}

/** Why it cannot be done now, whoever asks; nothing when it can. Permission comes first: it does not pass by waiting. */
export function whyNot(
  action: ChangeKind,
  member: Member,
  cluster: Pick<ClusterSummary, 'database' | 'clustered'> | undefined,
  permission: { readonly may: boolean; readonly because: string },
): string | undefined {
  if (!permission.may) return permission.because
  if (cluster?.clustered === false)
    return `${member.name} is not part of a cluster, so its instances have nowhere to go.`
  const possibility = possibilityOf(action, member)
  return possibility.kind === 'cannot' ? possibility.because : whyReadOnly(cluster?.database)
}

function possibilityOf(action: ChangeKind, member: Member): Possibility {
  return action === 'evacuate' ? canEvacuate(member) : canRestore(member)
}

export interface Check {
  readonly verdict: 'can' | 'can-but' | 'cannot'
  readonly text: string
}

/** The rail beside the question: each thing that has to be so, and whether it is. */
export function checksFor(
  action: ChangeKind,
  member: Member,
  all: readonly Member[],
  cluster: Pick<ClusterSummary, 'database'> | undefined,
  mode: string,
): readonly Check[] {
  const possibility = possibilityOf(action, member)
  const own: Check =
    possibility.kind === 'can'
      ? { verdict: 'can', text: `${member.name} answers, and the cluster calls it ${member.reported.value?.status}.` }
      : { verdict: possibility.kind, text: possibility.because }
  const database: Check =
    cluster?.database.kind === 'lost'
      ? { verdict: 'cannot', text: 'The cluster database does not answer.' }
      : { verdict: 'can', text: 'The cluster database answers.' }
  const moves = action === 'evacuate' && !mode.includes('stop')
  return [own, database, ...(moves ? placesFor(member, all) : [])]
}

/** Where instances could go. Incus decides for each one; what is told here is what is known beforehand. */
function placesFor(member: Member, all: readonly Member[]): readonly Check[] {
  const others = all.filter(
    (other) => other.name !== member.name && isUsable(other) && other.reported.value?.status === 'Online',
  )
  if (others.length === 0) {
    return [{ verdict: 'can-but', text: 'No other server is online: every instance would be stopped on this one.' }]
  }
  const names = listNames(
    others.map(({ name }) => name),
    3,
  )
  const checks: Check[] = [{ verdict: 'can', text: `${names} can take instances.` }]
  const architecture = member.reported.value?.architecture
  const alike = others.filter((other) => other.reported.value?.architecture === architecture)
  if (alike.length < others.length) {
    checks.push({
      verdict: alike.length === 0 ? 'can-but' : 'can',
      text:
        alike.length === 0
          ? `None of them is ${architecture}: instances of this architecture would be stopped.`
          : `Only ${alike.length} of them ${alike.length === 1 ? 'is' : 'are'} ${architecture}.`,
    })
  }
  const memory = memoryCheck(member, others)
  return memory === undefined ? checks : [...checks, memory]
}

function memoryCheck(member: Member, others: readonly Member[]): Check | undefined {
  const used = member.memory.value?.usedBytes
  const free = others.reduce(
    (sum, { memory }) => sum + (memory.value === null ? 0 : memory.value.totalBytes - memory.value.usedBytes),
    0,
  )
  if (used === undefined || others.some(({ memory }) => memory.value === null)) return undefined
  const text = `${member.name} uses ${formatBytes(used)} of memory; ${formatBytes(free)} are free on the others.`
  return { verdict: used > free ? 'can-but' : 'can', text }
}

/** What will happen, in one sentence, before it does. */
export function consequence(action: ChangeKind, member: Member, mode: string): string {
  const count = member.instances.value?.count
  const instances =
    count === undefined
      ? 'Its instances'
      : count === 0
        ? 'No instance'
        : count === 1
          ? 'Its 1 instance'
          : `Its ${count} instances`
  if (action === 'restore') {
    return mode === 'skip'
      ? `${member.name} takes instances again. Nothing is moved or started.`
      : `${member.name} takes instances again, and what left it for the evacuation comes back.`
  }
  if (count === 0) return `${member.name} has no instances. The cluster places none on it until it is restored.`
  const leave = mode.includes('stop') ? (count === 1 ? 'stops' : 'stop') : count === 1 ? 'leaves' : 'leave'
  return `${instances} ${leave} according to the mode, and the cluster places none on ${member.name} until it is restored.`
}
