import { actionNames, type Action } from '@malleus/shared/domain/action.ts'
import { roles } from '@malleus/shared/domain/role.ts'
import { describe, expect, it } from 'vitest'
import { createPolicy, type Grant } from './policy.ts'
import { actionsOfRole, ownActions } from './roles.ts'

const everywhere = { clusters: 'all', projects: 'all' } as const
const grants: readonly Grant[] = [
  { role: 'viewer', groups: ['staff'], ...everywhere },
  { role: 'operator', groups: ['ops-eu'], clusters: ['prod-eu'], projects: ['default', 'web'] },
  { role: 'operator', groups: ['ops-eu-all'], clusters: ['prod-eu'], projects: 'all' },
  { role: 'admin', groups: ['admins'], ...everywhere },
  { role: 'admin', groups: ['web-admins'], clusters: 'all', projects: ['web'] },
  { role: 'auditor', groups: ['audit'], ...everywhere },
]
const policy = createPolicy(grants, ['prod-eu', 'prod-us'])
const person = (...groups: string[]) => ({ groups })

describe('what a role may do', () => {
  // Written out rather than derived, so that a change of the table is a change of two places.
  const table: Readonly<Record<Action, string>> = {
    'session.sign-in': 'everybody',
    'session.sign-out': 'everybody',
    'session.step-up': 'everybody',
    'session.list': 'admin',
    'session.end': 'admin',
    'alert.test': 'admin',
    'session.refresh': 'everybody',
    'session.read': 'everybody',
    'session.activity': 'everybody',
    'description.read': 'everybody',
    'cluster.list': 'viewer operator admin auditor',
    'member.list': 'viewer operator admin',
    'member.read': 'viewer operator admin',
    'member.evacuate': 'admin',
    'member.restore': 'admin',
    'certificate.read': 'viewer operator admin',
    'certificate.check': 'admin',
    'certificate.replace': 'admin',
    'certificate.prepare': 'admin',
    'certificate.discard': 'admin',
    'certificate.pin': 'admin',
    'trust.list': 'viewer operator admin',
    'trust.add': 'admin',
    'trust.update': 'admin',
    'trust.remove': 'admin',
    'trust.token': 'admin',
    'trust.withdraw': 'admin',
    'trust.configure': 'admin',
    'trust.rotate': 'admin',
    'acme.read': 'viewer operator admin',
    'acme.check': 'admin',
    'acme.configure': 'admin',
    'acme.renew': 'admin',
    'operation.list': 'viewer operator admin',
    'operation.read': 'viewer operator admin',
    'operation.cancel': 'operator admin',
    'instance.list': 'viewer operator admin',
    'incident.list': 'viewer operator admin',
    'event.list': 'viewer operator admin',
    'access-path.list': 'viewer operator admin',
    'front.read': 'admin',
    'live.read': 'viewer operator admin',
    'audit.read': 'operator admin auditor',
    'audit.export': 'admin auditor',
  }

  it.each(actionNames)('%s is allowed to exactly the roles of the table', (action) => {
    const granted = ownActions.includes(action)
      ? 'everybody'
      : roles.filter((role) => actionsOfRole[role].includes(action)).join(' ')
    expect(granted).toBe(table[action])
  })
})

describe('may', () => {
  it.each([
    ['an admin may evacuate', person('admins'), 'member.evacuate', 'prod-eu', true, 'role:admin'],
    ['a viewer may not', person('staff'), 'member.evacuate', 'prod-eu', false, 'default-deny'],
    ['an operator may not either', person('ops-eu-all'), 'member.evacuate', 'prod-eu', false, 'default-deny'],
    ['an operator sees the servers of its cluster', person('ops-eu'), 'member.list', 'prod-eu', true, 'role:operator'],
    ['and not that another cluster exists', person('ops-eu'), 'member.list', 'prod-us', false, 'not-visible'],
    ['an auditor reads the history', person('audit'), 'audit.read', 'prod-eu', true, 'role:auditor'],
    ['and nothing of what it is about', person('audit'), 'member.list', 'prod-eu', false, 'default-deny'],
    [
      'an admin of a project does not evacuate',
      person('web-admins'),
      'member.evacuate',
      'prod-eu',
      false,
      'default-deny',
    ],
    ['but sees the servers', person('web-admins'), 'member.list', 'prod-eu', true, 'role:admin'],
    [
      'nor reads the history, which is of all projects',
      person('web-admins'),
      'audit.read',
      'prod-eu',
      false,
      'default-deny',
    ],
    ['nor does an operator of some projects', person('ops-eu'), 'audit.read', 'prod-eu', false, 'default-deny'],
    ['someone without a role may do nothing', person('guests'), 'cluster.list', undefined, false, 'no-role'],
    ['someone without a role sees no cluster', person('guests'), 'member.list', 'prod-eu', false, 'not-visible'],
    ['someone without groups may do nothing', person(), 'cluster.list', undefined, false, 'no-role'],
    ['anybody looks at their own session', person(), 'session.read', undefined, true, 'own-session'],
    [
      'a cluster that does not exist is visible to nobody',
      person('admins'),
      'member.list',
      'nowhere',
      false,
      'not-visible',
    ],
    [
      'a role in one cluster is enough for what is of none',
      person('ops-eu-all'),
      'audit.read',
      undefined,
      true,
      'role:operator',
    ],
    [
      'a role that never suffices is denied, not unknown',
      person('staff'),
      'audit.read',
      undefined,
      false,
      'default-deny',
    ],
  ] as const)('%s', (_, who, action, cluster, allow, rule) => {
    expect(policy.may(who, action, cluster === undefined ? {} : { cluster })).toEqual({ allow, rule })
  })

  it('keeps a grant inside its projects', () => {
    const inProject = (project: string) =>
      policy.may(person('ops-eu'), 'operation.list', { cluster: 'prod-eu', project }).allow
    expect(inProject('web')).toBe(true)
    expect(inProject('secret')).toBe(false)
  })

  it.each([
    ['of a project of theirs', 'web', true],
    ['of another project', 'secret', false],
    ['of the cluster', undefined, false],
  ])('an operator of some projects cancels work %s: %s', (_, project, allow) => {
    const place = { cluster: 'prod-eu', ...(project !== undefined && { project }) }
    expect(policy.may(person('ops-eu'), 'operation.cancel', place).allow).toBe(allow)
    expect(policy.permissions(person('ops-eu'))['prod-eu']).toContain('operation.cancel')
    expect(policy.permissions(person('staff'))['prod-eu']).not.toContain('operation.cancel')
  })

  it('takes a name of Object for a group or a cluster like any other', () => {
    expect(policy.may(person('constructor', '__proto__'), 'member.list', { cluster: 'toString' }).allow).toBe(false)
  })
})

describe('what follows from the grants', () => {
  it('lists visible clusters in the order of the configuration', () => {
    expect(policy.visibleClusters(person('staff'))).toEqual(['prod-eu', 'prod-us'])
    expect(policy.visibleClusters(person('ops-eu'))).toEqual(['prod-eu'])
    expect(policy.visibleClusters(person('guests'))).toEqual([])
  })

  it('narrows the history to the clusters where the person may read it', () => {
    expect(policy.clustersWhere(person('staff', 'ops-eu-all'), 'audit.read')).toEqual(['prod-eu'])
  })

  it('adds up the roles of all groups', () => {
    expect(policy.rolesOf(person('staff', 'ops-eu', 'audit'))).toEqual(['viewer', 'operator', 'auditor'])
    expect(policy.rolesOf(person('staff', 'ops-eu'), 'prod-us')).toEqual(['viewer'])
  })

  it('adds up projects, and one grant without a limit lifts the limit', () => {
    expect(policy.projectsOf(person('ops-eu', 'web-admins'), 'prod-eu')).toEqual(['default', 'web'])
    expect(policy.projectsOf(person('ops-eu', 'staff'), 'prod-eu')).toBe('all')
    expect(policy.projectsOf(person('guests'), 'prod-eu')).toEqual([])
  })

  it('says for each visible cluster what the person may do, and nothing of the others', () => {
    const permissions = policy.permissions(person('ops-eu'))
    expect(Object.keys(permissions)).toEqual(['prod-eu'])
    expect(permissions['prod-eu']).toContain('member.list')
    expect(permissions['prod-eu']).not.toContain('member.evacuate')
  })
})
