import { changeMemberState, getHealthHistory, getMember, listMembers } from '@malleus/shared/api/members.ts'
import type { BodyOf } from '@malleus/shared/api/endpoint.ts'
import type { Target } from '@malleus/shared/domain/target.ts'
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { call } from './client.ts'
import { putOperation } from './operations.ts'
import { maySee } from './session.ts'

/** How often load, memory and instance counts are read: members are asked for them no more often. */
const rereadMs = 15_000

/**
 * The servers of a cluster. Always asked through any server that answers: the frame needs the list most when the
 * target that the person chose does not.
 */
export function memberListQuery(cluster: string) {
  return queryOptions({
    queryKey: ['cluster', cluster, 'members'],
    enabled: () => maySee(cluster, 'member.list'),
    queryFn: ({ signal }) => call(listMembers, { params: { cluster } }, { signal }),
    // Health comes by the stream; load, memory and instances are read again. Every change of the cache begins an interval
    // anew, and the stream changes it each second: so the interval is what is left since the last reading.
    refetchInterval: ({ state }) =>
      Math.max(100, rereadMs - (Date.now() - Math.max(state.dataUpdatedAt, state.errorUpdatedAt))),
  })
}

export function memberQuery(cluster: string, member: string, target: Target) {
  return queryOptions({
    queryKey: ['cluster', cluster, 'member', member, target],
    enabled: () => maySee(cluster, 'member.read'),
    queryFn: ({ signal }) => call(getMember, { params: { cluster, member } }, { signal, target }),
    refetchInterval: 5000,
  })
}

export function healthHistoryQuery(cluster: string) {
  return queryOptions({
    queryKey: ['cluster', cluster, 'health-history'],
    enabled: () => maySee(cluster, 'member.list'),
    queryFn: ({ signal }) => call(getHealthHistory, { params: { cluster } }, { signal }),
    staleTime: 60_000,
    refetchInterval: 60_000,
  })
}

export type StateChange = BodyOf<typeof changeMemberState>

/** Evacuates or restores one server. */
export function useChangeMemberState(cluster: string, member: string, target: Target) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (change: StateChange) =>
      call(changeMemberState, { params: { cluster, member }, body: change }, { target }),
    onSuccess: ({ operation }) => putOperation(client, cluster, operation),
  })
}
