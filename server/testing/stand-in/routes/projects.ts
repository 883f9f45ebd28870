import { visibleProjects } from '../authorization.ts'
import { recursionOf } from '../call.ts'
import type { Call } from '../call.ts'
import type { Project, Warning } from '../cluster-state.ts'
import { IncusError, sync, syncWithETag } from '../replies.ts'
import type { Reply } from '../replies.ts'
import type { Route } from '../router.ts'
import { goTime } from '../times.ts'

/** Projects, profiles and warnings: rows of the database. */
export const projectRoutes: readonly Route[] = [
  { method: 'GET', path: '/1.0/projects', need: 'list', answer: listProjects },
  { method: 'GET', path: '/1.0/projects/:name', need: 'view', answer: readProject },
  { method: 'GET', path: '/1.0/profiles', need: 'list', answer: listProfiles },
  { method: 'GET', path: '/1.0/profiles/:name', need: 'view', answer: readProfile },
  { method: 'GET', path: '/1.0/warnings', need: 'privileged', answer: listWarnings },
]

function listProjects(call: Call): Reply {
  const projects = seenProjects(call)
  if (recursionOf(call) === 0) return sync(projects.map(({ name }) => `/1.0/projects/${name}`))
  return sync(projects.map((project) => renderProject(call, project)))
}

function readProject(call: Call): Reply {
  const project = seenProjects(call).find(({ name }) => name === call.params['name'])
  if (project === undefined) throw new IncusError(404, 'Project not found')
  return syncWithETag(renderProject(call, project), [project.description, project.config])
}

function seenProjects(call: Call): Project[] {
  const visible = visibleProjects(call.caller, call.state)
  return call.state.projects.filter(({ name }) => visible === undefined || visible.includes(name))
}

function renderProject({ state }: Call, project: Project): Record<string, unknown> {
  const suffix = project.name === 'default' ? '' : `?project=${project.name}`
  return {
    config: project.config,
    description: project.description,
    name: project.name,
    used_by: [
      ...state.instances
        .filter((instance) => instance.project === project.name)
        .map((instance) => `/1.0/instances/${instance.name}${suffix}`),
      `/1.0/profiles/default${suffix}`,
    ],
  }
}

function listProfiles(call: Call): Reply {
  const visible = visibleProjects(call.caller, call.state)
  const wanted = call.query.get('all-projects') === 'true' ? undefined : (call.query.get('project') ?? 'default')
  const names = call.state.projects
    .map(({ name }) => name)
    .filter((name) => wanted === undefined || name === wanted)
    .filter((name) => visible === undefined || visible.includes(name))
  if (recursionOf(call) === 0) return sync(names.map(() => '/1.0/profiles/default'))
  return sync(names.map((project) => renderProfile(call, project)))
}

function readProfile(call: Call): Reply {
  if (call.params['name'] !== 'default') throw new IncusError(404, 'Fetch profile: Profile not found')
  return syncWithETag(renderProfile(call, call.query.get('project') ?? 'default'))
}

function renderProfile({ state }: Call, project: string): Record<string, unknown> {
  const suffix = project === 'default' ? '' : `?project=${project}`
  return {
    config: {},
    description: 'Default Incus profile',
    devices: { root: { path: '/', pool: 'local', type: 'disk' } },
    name: 'default',
    used_by: state.instances
      .filter((instance) => instance.project === project)
      .map((instance) => `/1.0/instances/${instance.name}${suffix}`),
    project,
  }
}

function listWarnings(call: Call): Reply {
  const { warnings } = call.state
  if (recursionOf(call) === 0) return sync(warnings.map(({ uuid }) => `/1.0/warnings/${uuid}`))
  return sync(warnings.map(renderWarning))
}

function renderWarning(warning: Warning): Record<string, unknown> {
  return {
    status: warning.status,
    uuid: warning.uuid,
    location: warning.location,
    project: warning.project,
    type: warning.type,
    count: 1,
    first_seen_at: goTime(warning.firstSeenAt),
    last_seen_at: goTime(warning.firstSeenAt),
    last_message: warning.lastMessage,
    severity: warning.severity,
    entity_url: '',
  }
}
