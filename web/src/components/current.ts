import type { ClusterSummary } from '@malleus/shared/api/clusters.ts'
import type { Member } from '@malleus/shared/api/members.ts'
import type { Action } from '@malleus/shared/domain/action.ts'
import type { Role } from '@malleus/shared/domain/role.ts'
import { parseTarget, type Target } from '@malleus/shared/domain/target.ts'
import { useQuery } from '@tanstack/react-query'
import { useParams, useSearch } from '@tanstack/react-router'
import type { MemberList } from '../api/apply-live-event.ts'
import { clusterListQuery } from '../api/clusters.ts'
import { memberListQuery } from '../api/members.ts'
import { sessionQuery } from '../api/session.ts'
import { whyReadOnly } from './database-words.ts'

/** What the page is about, from its link and the cache. All of it only inside a cluster's pages. */

export function useClusterName(): string {
  return useParams({ strict: false }).cluster ?? ''
}

export function useCluster(): ClusterSummary | undefined {
  const name = useClusterName()
  return useQuery(clusterListQuery).data?.clusters.find((cluster) => cluster.name === name)
}

export function useTarget(): Target {
  return parseTarget(useSearch({ strict: false }).target)
}

export function useMemberList(): MemberList | undefined {
  return useQuery(memberListQuery(useClusterName())).data
}

const noMembers: readonly Member[] = []

export function useMembers(): readonly Member[] {
  return useMemberList()?.members ?? noMembers
}

/** Whether the person may do something in this cluster, and what to say if not. */
export function useMay(action: Action): { readonly may: boolean; readonly because: string } {
  const session = useQuery(sessionQuery).data
  const cluster = useClusterName()
  const may = session?.permissions[cluster]?.includes(action) ?? false
  return { may, because: mayNot(session?.principal.roles ?? []) }
}

/** The same for what changes the cluster: nobody may while nothing can be changed. */
export function useMayChange(action: Action): { readonly may: boolean; readonly because: string } {
  const permission = useMay(action)
  const readOnly = whyReadOnly(useCluster()?.database)
  return permission.may && readOnly !== undefined ? { may: false, because: readOnly } : permission
}

/** "Your role is auditor, which does not show the servers." */
export function showsNot(roles: readonly Role[], what: string): string {
  if (roles.length === 0) return `You have no role that shows ${what}.`
  return roles.length === 1
    ? `Your role is ${roles[0]}, which does not show ${what}.`
    : `Your roles are ${roles.join(' and ')}, which do not show ${what}.`
}

/** "Your role is viewer; an admin can do this." */
export function mayNot(roles: readonly Role[]): string {
  const who = 'an admin of this cluster can do this.'
  if (roles.length === 0) return `You have no role; ${who}`
  return roles.length === 1 ? `Your role is ${roles[0]}; ${who}` : `Your roles are ${roles.join(', ')}; ${who}`
}
