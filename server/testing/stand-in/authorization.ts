import type { Caller } from './authentication.ts'
import type { Call } from './call.ts'
import type { ClusterState } from './cluster-state.ts'
import { IncusError } from './replies.ts'

/**
 * What a route asks for: `public` nothing, `view` somebody trusted, `list` the same and gives nothing to those who may see
 * nothing, `edit` the whole cluster, `privileged` what restricted certificates and viewers do not see.
 */
export type Need = 'public' | 'view' | 'list' | 'edit' | 'privileged'

/** Throws Incus's 403 where the caller lacks what the route asks for. */
export function authorize(need: Need, call: Call): void {
  if (need === 'public') return
  const { caller, state } = call
  if (caller.kind === 'nobody') throw new IncusError(403, 'not authorized')
  if (caller.kind === 'tls') {
    if (caller.entry.type === 'metrics') throw new IncusError(403, 'not authorized')
    const restricted = caller.entry.restricted && (need === 'edit' || need === 'privileged')
    if (restricted) throw new IncusError(403, 'Certificate is restricted')
  }
  const access = accessOf(caller, state)
  if (access.forbidden?.includes(`${call.method} ${call.path}`)) throw denied()
  if (access.may === 'nothing' && need !== 'list') throw denied()
  if (access.may === 'view' && (need === 'edit' || need === 'privileged')) throw denied()
}

/** The projects whose things the caller sees; undefined: all. */
export function visibleProjects(caller: Caller, state: ClusterState): readonly string[] | undefined {
  if (caller.kind === 'tls') return caller.entry.restricted ? caller.entry.projects : undefined
  const access = accessOf(caller, state)
  return access.may === 'nothing' ? [] : access.projects
}

/** Sees server configuration and events that say more than others may know. */
export function seesEverything(caller: Caller, state: ClusterState): boolean {
  if (caller.kind === 'nobody') return false
  if (caller.kind === 'tls') return !caller.entry.restricted
  const access = accessOf(caller, state)
  return access.may === 'edit' && access.projects === undefined
}

function accessOf(caller: Caller, state: ClusterState) {
  return (caller.kind === 'oidc' ? state.access.get(caller.name) : undefined) ?? { may: 'edit' as const }
}

function denied(): IncusError {
  return new IncusError(403, 'Permission denied')
}
