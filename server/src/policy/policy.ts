import { type Action, actionNames, changes, isOfProject } from '@malleus/shared/domain/action.ts'
import { type Role, roles } from '@malleus/shared/domain/role.ts'
import { actionsOfRole, ownActions } from './roles.ts'

/** Part of a person that policy looks at: what their identity provider says, and nothing a user can edit. */
export interface Person {
  readonly groups: readonly string[]
}

/** One line of `roles:` in the configuration: these groups have this role in these clusters and projects. */
export interface Grant {
  readonly role: Role
  readonly groups: readonly string[]
  readonly clusters: 'all' | readonly string[]
  readonly projects: 'all' | readonly string[]
}

/** Where something is to be done. Without a cluster: in at least one; without a project: in the cluster as a whole. */
export interface Place {
  readonly cluster?: string
  readonly project?: string
}

/** What was decided, and by which rule, as the access history keeps it: the role, or why not. */
export interface Decision {
  readonly allow: boolean
  readonly rule: string
}

/**
 * Who may do what. Roles come from groups, per cluster and project; whatever no grant allows is denied. The same in
 * both modes, and before Incus decides: it can only narrow what Incus allows.
 */
export interface Policy {
  /** All clusters, in the order of the configuration. */
  readonly clusters: readonly string[]
  /** Whether the person may do it there. A cluster that is not visible to them denies everything. */
  may(person: Person, action: Action, place?: Place): Decision
  /** The clusters in which the person has any role, in the order of the configuration. To others they do not exist. */
  visibleClusters(person: Person): readonly string[]
  /** The clusters in which the person may do it, in the order of the configuration. */
  clustersWhere(person: Person, action: Action): readonly string[]
  /** The roles a person has in a cluster, or in at least one. */
  rolesOf(person: Person, cluster?: string): readonly Role[]
  /** The projects of a cluster the person's roles reach: all, or these names. */
  projectsOf(person: Person, cluster: string): 'all' | readonly string[]
  /** What the person may do in each cluster they may see; also what only in some of its projects. */
  permissions(person: Person): Readonly<Record<string, readonly Action[]>>
}

/** @param clusters names of the clusters that exist, in the order in which they are listed. */
export function createPolicy(grants: readonly Grant[], clusters: readonly string[]): Policy {
  function grantsOf(person: Person, cluster: string): readonly Grant[] {
    return grants.filter((grant) => reaches(grant.clusters, cluster) && sharesGroup(grant, person))
  }

  function decideIn(person: Person, action: Action, cluster: string, project: string | undefined): Decision {
    const own = clusters.includes(cluster) ? grantsOf(person, cluster) : []
    if (own.length === 0) return { allow: false, rule: 'not-visible' }
    const granting = own.find((grant) => allows(grant, action, project))
    return granting === undefined
      ? { allow: false, rule: 'default-deny' }
      : { allow: true, rule: `role:${granting.role}` }
  }

  function may(person: Person, action: Action, place: Place = {}): Decision {
    if (ownActions.includes(action)) return { allow: true, rule: 'own-session' }
    if (place.cluster !== undefined) return decideIn(person, action, place.cluster, place.project)
    const decisions = clusters.map((cluster) => decideIn(person, action, cluster, place.project))
    return (
      decisions.find((decision) => decision.allow) ?? {
        allow: false,
        rule: decisions.some((decision) => decision.rule === 'default-deny') ? 'default-deny' : 'no-role',
      }
    )
  }

  /** What belongs to a project can be done by those who have a role there and nowhere else. */
  function mayInSome(person: Person, action: Action, cluster: string): boolean {
    return isOfProject(action) && grantsOf(person, cluster).some(({ role }) => actionsOfRole[role].includes(action))
  }

  function visibleClusters(person: Person): readonly string[] {
    return clusters.filter((cluster) => grantsOf(person, cluster).length > 0)
  }

  function rolesOf(person: Person, cluster?: string): readonly Role[] {
    const where = cluster === undefined ? clusters : clusters.filter((name) => name === cluster)
    const found = new Set(where.flatMap((name) => grantsOf(person, name)).map((grant) => grant.role))
    return roles.filter((role) => found.has(role))
  }

  return {
    clusters,
    may,
    visibleClusters,
    rolesOf,
    clustersWhere: (person, action) => clusters.filter((cluster) => may(person, action, { cluster }).allow),
    projectsOf: (person, cluster) => union(grantsOf(person, cluster).map((grant) => grant.projects)),
    permissions: (person) =>
      Object.fromEntries(
        visibleClusters(person).map((cluster) => [
          cluster,
          actionNames.filter((action) => may(person, action, { cluster }).allow || mayInSome(person, action, cluster)),
        ]),
      ),
  }
}

/**
 * A grant that is limited to projects lets its people see the cluster around their projects, and change nothing that
 * belongs to all of them. Nor does it open the history, which tells of all projects what was done in them, by whom and
 * from where.
 */
function allows(grant: Grant, action: Action, project: string | undefined): boolean {
  if (!actionsOfRole[grant.role].includes(action)) return false
  if (project !== undefined) return reaches(grant.projects, project)
  return grant.projects === 'all' || !(changes(action) || action === 'audit.read')
}

function sharesGroup(grant: Grant, person: Person): boolean {
  return grant.groups.some((group) => person.groups.includes(group))
}

function reaches(names: 'all' | readonly string[], name: string): boolean {
  return names === 'all' || names.includes(name)
}

function union(all: readonly ('all' | readonly string[])[]): 'all' | readonly string[] {
  const names = new Set<string>()
  for (const some of all) {
    if (some === 'all') return 'all'
    for (const name of some) names.add(name)
  }
  return [...names]
}
