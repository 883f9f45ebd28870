import type { LiveEvent } from '@malleus/shared/api/live.ts'
import type { ReplyOf } from '@malleus/shared/api/endpoint.ts'
import type { listMembers, Member } from '@malleus/shared/api/members.ts'
import { isFinished } from '@malleus/shared/api/operations.ts'
import { withOperation, type OperationList } from './operations.ts'

export type MemberList = ReplyOf<typeof listMembers>

/** The parts of the cache that live events change in place. */
export interface Known {
  readonly members: (cluster: string) => MemberList | undefined
  readonly operations: (cluster: string) => OperationList | undefined
}

/** What an event changes: whole facts go into the cache, for the rest what is on screen is read again. */
export type CacheChange =
  | { readonly kind: 'members'; readonly cluster: string; readonly members: MemberList }
  | { readonly kind: 'operations'; readonly cluster: string; readonly operations: OperationList }
  | { readonly kind: 'read-again'; readonly key: readonly unknown[] }

/** Decides what an event changes; touches nothing. Rows that did not change keep their identity. */
export function applyLiveEvent(event: LiveEvent, known: Known): readonly CacheChange[] {
  switch (event.kind) {
    case 'heartbeat':
    case 'goaway':
    case 'session-ended':
      return []
    case 'resync':
      return [readAgain()]
    case 'events-missed':
      return [readAgain('cluster', event.cluster)]
    case 'member-health-changed':
      return [
        ...eachMember(known, event.cluster, (member) =>
          member.name === event.member ? { ...member, health: event.health } : member,
        ),
        readAgain('clusters'),
        readAgain('cluster', event.cluster, 'member', event.member),
        // Whether the states of its instances and what it does are of now hangs on whether it answers.
        readAgain('cluster', event.cluster, 'instances'),
        readAgain('cluster', event.cluster, 'operations'),
      ]
    case 'answers-measured':
      return eachMember(known, event.cluster, (member) => {
        const measured = event.members[member.name]
        return measured === undefined ? member : { ...member, health: { ...member.health, ...measured } }
      })
    case 'members-changed':
      return [
        readAgain('cluster', event.cluster, 'members'),
        readAgain('cluster', event.cluster, 'member'),
        readAgain('clusters'),
      ]
    case 'cluster-changed':
      // How current everything is hangs on whether its database answers.
      return [readAgain('clusters'), readAgain('cluster', event.cluster)]
    case 'certificate-changed':
      return [
        readAgain('cluster', event.cluster, 'certificate'),
        readAgain('cluster', event.cluster, 'members'),
        readAgain('clusters'),
        readAgain('alerts'),
      ]
    case 'operation-changed': {
      const list = known.operations(event.cluster)
      const operations: CacheChange =
        list === undefined
          ? readAgain('cluster', event.cluster, 'operations')
          : { kind: 'operations', cluster: event.cluster, operations: withOperation(list, event.operation) }
      const detail = readAgain('cluster', event.cluster, 'operation', event.operation.id)
      // What an operation did to a server shows in the list of servers once it has ended; its result is kept.
      const ended = isFinished(event.operation)
        ? [readAgain('cluster', event.cluster, 'members'), readAgain('cluster', event.cluster, 'kept-operations')]
        : []
      return [operations, detail, ...ended]
    }
    case 'resource-changed':
      if (event.action.startsWith('certificate-')) return [readAgain('cluster', event.cluster, 'trust')]
      return /^(cluster-member|instance)-/.test(event.action) ? [readAgain('cluster', event.cluster, 'members')] : []
    case 'instances-changed':
      return [readAgain('cluster', event.cluster, 'instances')]
    case 'incident-changed':
      return [readAgain('cluster', event.cluster, 'incidents')]
    case 'access-paths-changed':
      return [readAgain('cluster', event.cluster, 'access-paths')]
    case 'events-heard':
      return [readAgain('cluster', event.cluster, 'events')]
    case 'outcome-found':
      return [readAgain('cluster', event.cluster), readAgain('audit')]
    case 'audit-appended':
      return [readAgain('audit')]
  }
}

function eachMember(known: Known, cluster: string, change: (member: Member) => Member): readonly CacheChange[] {
  const list = known.members(cluster)
  return list === undefined
    ? []
    : [{ kind: 'members', cluster, members: { ...list, members: list.members.map(change) } }]
}

function readAgain(...key: readonly unknown[]): CacheChange {
  return { kind: 'read-again', key }
}
