import { recursionOf } from '../call.ts'
import type { Call } from '../call.ts'
import type { Member } from '../member.ts'
import { sync, syncWithETag } from '../replies.ts'
import type { Reply } from '../replies.ts'
import type { Route } from '../router.ts'

/** The cluster, its members and its groups: read from the database, correct also while members are silent. */
export const clusterRoutes: readonly Route[] = [
  { method: 'GET', path: '/1.0/cluster', need: 'view', answer: describeCluster },
  { method: 'GET', path: '/1.0/cluster/members', need: 'view', looksUpLeader: true, answer: listMembers },
  {
    method: 'GET',
    path: '/1.0/cluster/members/:name',
    need: 'view',
    looksUpLeader: true,
    answer: (call) => {
      const member = renderMember(call, call.state.member(call.params['name'] ?? ''))
      return syncWithETag(member, [member['roles'], member['groups'], member['failure_domain'], member['config']])
    },
  },
  { method: 'GET', path: '/1.0/cluster/groups', need: 'view', answer: listGroups },
  {
    method: 'GET',
    path: '/1.0/cluster/groups/:name',
    need: 'view',
    answer: (call) => syncWithETag(renderGroup(call, call.params['name'] ?? '')),
  },
]

function describeCluster(call: Call): Reply {
  return syncWithETag({
    server_name: call.via.name,
    enabled: true,
    member_config: ['size', 'source'].map((key) => ({
      entity: 'storage-pool',
      name: 'local',
      key,
      value: '',
      description: `"${key}" property for storage pool "local"`,
    })),
  })
}

function listMembers(call: Call): Reply {
  const { members } = call.state
  if (recursionOf(call) === 0) return sync(members.map(({ name }) => `/1.0/cluster/members/${name}`))
  return sync(members.map((member) => renderMember(call, member)))
}

/** A member as the answering member sees it. */
export function renderMember(call: Call, member: Member): Record<string, unknown> {
  const { leadership } = call.state
  return {
    roles: leadership.rolesOf(member),
    failure_domain: member.failureDomain,
    description: member.description,
    config: {},
    groups: member.groups,
    server_name: member.name,
    url: member.url,
    database: leadership.isVoter(member),
    ...statusOf(call, member),
    architecture: 'x86_64',
  }
}

/** Maintenance takes precedence over silence. */
function statusOf(call: Call, member: Member): { status: string; message: string } {
  const { settings } = call.state
  const message = 'Unavailable due to maintenance'
  if (member.state === 'evacuated') return { status: 'Evacuated', message }
  if (member.state === 'evacuating') return { status: settings.seven ? 'Evacuating' : 'Evacuated', message }
  if (member.state === 'restoring') return { status: settings.seven ? 'Restoring' : 'Evacuated', message }
  if (!call.state.isOffline(member, call.via)) return { status: 'Online', message: 'Fully operational' }
  return { status: 'Offline', message: silence(call.via.now(), member.lastHeartbeatAt, settings.seven) }
}

function silence(now: number, lastHeartbeatAt: number, seven: boolean): string {
  const seconds = (now - lastHeartbeatAt) / 1000
  const at = new Date(lastHeartbeatAt).toISOString().replace('T', ' ')
  return seven
    ? `No heartbeat for ${Math.round(seconds)}s (${at.slice(0, 19)} +0000)`
    : `No heartbeat for ${seconds.toFixed(2)}s (${at.slice(0, -1)} +0000 UTC)`
}

function listGroups(call: Call): Reply {
  const names = [...call.state.groups.keys()]
  if (recursionOf(call) === 0) return sync(names.map((name) => `/1.0/cluster/groups/${name}`))
  return sync(names.map((name) => renderGroup(call, name)))
}

function renderGroup({ state }: Call, name: string): Record<string, unknown> {
  const members = state.groupMembers(name).map((member) => member.name)
  const group = state.groups.get(name)
  return {
    ...(state.settings.seven ? { config: group?.config ?? {} } : {}),
    description: group?.description ?? '',
    members,
    ...(state.settings.seven ? { used_by: [] } : {}),
    name,
  }
}
