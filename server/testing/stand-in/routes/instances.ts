import { z } from 'zod'
import { seesEverything, visibleProjects } from '../authorization.ts'
import { execute, recursionOf, requestorOf } from '../call.ts'
import type { Call } from '../call.ts'
import type { Instance } from '../instances.ts'
import { renderInstance, renderInstanceState, renderUnreachable } from '../instances.ts'
import type { Member } from '../member.ts'
import { answersWithin, canTalk, reach } from '../reach.ts'
import { IncusError, sync, syncWithETag } from '../replies.ts'
import type { Reply } from '../replies.ts'
import { parseBody } from '../request-body.ts'
import type { Route } from '../router.ts'

export const instanceRoutes: readonly Route[] = [
  { method: 'GET', path: '/1.0/instances', need: 'list', answer: listInstances },
  { method: 'GET', path: '/1.0/instances/:name', need: 'view', answer: readInstance },
  { method: 'GET', path: '/1.0/instances/:name/state', need: 'view', answer: readInstanceState },
  { method: 'PUT', path: '/1.0/instances/:name/state', need: 'view', answer: changeInstanceState },
]

/**
 * With recursion the answering member asks every member that holds instances, and waits for the silent ones that still
 * count as Online; their rows then come back as errors, not the list.
 */
async function listInstances(call: Call): Promise<Reply> {
  const instances = visibleInstances(call)
  const recursion = recursionOf(call)
  if (recursion === 0) return sync(instances.map(urlOf))
  const locations = [...new Set(instances.map(({ location }) => location))]
  const answering = new Map(
    await Promise.all(locations.map(async (name) => [name, await answersForRows(call, name)] as const)),
  )
  return sync(
    instances.map((instance) => {
      const answers = answering.get(instance.location) === true
      const row = answers ? renderInstance(instance) : renderUnreachable(instance)
      if (recursion === 1) return row
      const state = answers ? renderInstanceState(instance, call.state.clock.now()) : null
      return { ...row, backups: null, state, snapshots: null }
    }),
  )
}

async function answersForRows(call: Call, name: string): Promise<boolean> {
  const member = call.state.member(name)
  if (canTalk(call.via, member)) return true
  if (member.process === 'dead' || call.state.isOffline(member, call.via)) return false
  return answersWithin(call, member, call.state.settings.fanOutWaitMs)
}

async function readInstance(call: Call): Promise<Reply> {
  const instance = findInstance(call)
  await reach(call, memberOf(call, instance))
  const row = renderInstance(instance)
  return syncWithETag(row, [row['architecture'], row['config'], row['devices'], row['ephemeral'], row['profiles']])
}

async function readInstanceState(call: Call): Promise<Reply> {
  const instance = findInstance(call)
  const member = memberOf(call, instance)
  await reach(call, member)
  return sync(renderInstanceState(instance, member.now()))
}

const InstanceStateChange = z.object({
  action: z.enum(['start', 'stop', 'restart', 'freeze', 'unfreeze']),
  timeout: z.number().optional(),
  force: z.boolean().optional(),
  stateful: z.boolean().optional(),
})

const AFTER = { start: 'Running', restart: 'Running', unfreeze: 'Running', stop: 'Stopped', freeze: 'Frozen' } as const
const DESCRIPTION = {
  start: 'Starting instance',
  restart: 'Restarting instance',
  unfreeze: 'Unfreezing instance',
  stop: 'Stopping instance',
  freeze: 'Freezing instance',
} as const
const EVENT = {
  start: 'instance-started',
  restart: 'instance-restarted',
  unfreeze: 'instance-resumed',
  stop: 'instance-stopped',
  freeze: 'instance-paused',
} as const

async function changeInstanceState(call: Call): Promise<Reply> {
  const instance = findInstance(call)
  if (call.caller.kind === 'oidc' && !seesEverything(call.caller, call.state) && !mayChange(call, instance)) {
    throw new IncusError(403, 'Permission denied')
  }
  const member = memberOf(call, instance)
  await reach(call, member)
  const { action } = parseBody(InstanceStateChange, call.body)
  execute(call, `instance.${action}`, member)
  const requestor = requestorOf(call)
  const operation = call.operations.start({
    class: 'task',
    description: DESCRIPTION[action],
    location: member,
    project: instance.project,
    resources: { instances: [urlOf(instance)] },
    run: async (work) => {
      if (action === 'start' && instance.status === 'Running') throw new Error('The instance is already running')
      if (action === 'stop' && instance.status === 'Stopped') throw new Error('The instance is already stopped')
      await work.step(call.state.settings.moveMs)
      instance.status = AFTER[action]
      call.events.lifecycle({
        action: EVENT[action],
        source: urlOf(instance),
        location: member,
        project: instance.project,
        name: instance.name,
        ...(requestor === undefined ? {} : { requestor }),
      })
    },
  })
  return { kind: 'async', operation: { url: operation.url, metadata: operation.render() } }
}

function mayChange({ caller, state }: Call, instance: Instance): boolean {
  const access = caller.kind === 'oidc' ? state.access.get(caller.name) : undefined
  return access?.may === 'edit' && (access.projects?.includes(instance.project) ?? true)
}

function visibleInstances(call: Call): Instance[] {
  const { state, query, caller } = call
  const allProjects = query.get('all-projects') === 'true'
  const project = query.get('project')
  if (allProjects && project !== null) {
    throw new IncusError(400, 'Cannot specify a project when requesting all projects')
  }
  const visible = visibleProjects(caller, state)
  const wanted = project ?? 'default'
  if (!allProjects && caller.kind === 'tls' && visible !== undefined && !visible.includes(wanted)) {
    throw new IncusError(500, `User does not have permissions for project "${wanted}"`)
  }
  return state.instances.filter(
    (instance) =>
      (allProjects || instance.project === wanted) && (visible === undefined || visible.includes(instance.project)),
  )
}

function findInstance(call: Call): Instance {
  const project = call.query.get('project') ?? 'default'
  const visible = visibleProjects(call.caller, call.state)
  const instance = call.state.instances.find(
    (candidate) =>
      candidate.name === call.params['name'] &&
      candidate.project === project &&
      (visible === undefined || visible.includes(candidate.project)),
  )
  if (instance === undefined) throw new IncusError(404, 'Instance not found')
  return instance
}

function memberOf(call: Call, instance: Instance): Member {
  return call.state.member(instance.location)
}

function urlOf(instance: Instance): string {
  const project = instance.project === 'default' ? '' : `?project=${encodeURIComponent(instance.project)}`
  return `/1.0/instances/${encodeURIComponent(instance.name)}${project}`
}
