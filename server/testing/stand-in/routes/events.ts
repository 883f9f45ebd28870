import { authorize, seesEverything, visibleProjects } from '../authorization.ts'
import type { Call } from '../call.ts'
import { IncusError } from '../replies.ts'

const TYPES = ['lifecycle', 'operation', 'logging', 'network-acl']

/** What a stream of `/1.0/events` will carry. */
export interface Subscription {
  types: readonly string[]
  maySee(project: string | undefined): boolean
}

/** Checks a request for the event stream; throws what Incus answers instead of the upgrade. */
export function subscribe(call: Call): Subscription {
  authorize('view', call)
  const privileged = seesEverything(call.caller, call.state)
  const asked = call.query.get('type')?.split(',')
  const unknown = asked?.find((type) => !TYPES.includes(type))
  if (unknown !== undefined) throw new IncusError(400, `"${unknown}" isn't a supported event type`)
  if (asked?.includes('logging') === true && !privileged) {
    throw new IncusError(403, 'Permission denied')
  }
  const allProjects = call.query.get('all-projects') === 'true'
  const wanted = call.query.get('project') ?? 'default'
  if (allProjects && call.query.has('project')) {
    throw new IncusError(400, 'Cannot specify a project when requesting all projects')
  }
  if (!allProjects && !call.state.projects.some(({ name }) => name === wanted)) {
    throw new IncusError(404, 'Project not found')
  }
  const visible = visibleProjects(call.caller, call.state)
  return {
    types: asked ?? (privileged ? TYPES : ['lifecycle', 'operation']),
    maySee: (project) =>
      project === undefined || ((allProjects || project === wanted) && (visible?.includes(project) ?? true)),
  }
}
