import { createHash } from 'node:crypto'
import { requestorOf } from './call.ts'
import type { Call } from './call.ts'
import type { Requestor } from './events.ts'
import type { Instance } from './instances.ts'
import type { Member } from './member.ts'
import type { Operation, Work } from './operations.ts'

const ORIGIN = 'volatile.evacuate.origin'
const POWER = 'volatile.last_state.power'

/** The modes `POST /1.0/cluster/members/{name}/state` takes besides the empty one. */
export function evacuationModes(seven: boolean): string[] {
  const modes = ['auto', 'migrate', 'live-migrate', 'stop', 'stateful-stop', 'force-stop']
  return seven ? [...modes, 'refresh-migrate'] : modes
}

/** Empties a member: its instances move to others or stop in place, one after the other. */
export function evacuate(call: Call, member: Member, mode: string): Operation {
  return call.operations.start({
    class: 'task',
    description: 'Evacuating cluster member',
    location: member,
    run: async (work) => {
      if (member.state === 'evacuated') throw new Error('Cluster member is already evacuated')
      if (member.state !== 'created') throw new Error('Cluster member is busy')
      const before = member.state
      member.state = 'evacuating'
      try {
        const staysInPlace = mode === 'stop' || mode === 'stateful-stop' || mode === 'force-stop'
        for (const instance of instancesOn(call, member)) {
          const target = staysInPlace ? undefined : emptiestOther(call, member)
          if (target === undefined) await stopInPlace(call, instance, work, member)
          else await move(call, instance, target, work, member)
        }
        member.state = 'evacuated'
      } catch (error) {
        member.state = before
        throw error
      }
      announce(call, 'cluster-member-evacuated', member)
    },
  })
}

/** Makes a member available again and brings back what came from it; or only the first. */
export function restore(call: Call, member: Member, { onlyState }: { onlyState: boolean }): Operation {
  return call.operations.start({
    class: 'task',
    description: 'Restoring cluster member',
    location: member,
    run: async (work) => {
      if (member.state === 'created') throw new Error('Cluster member is already restored')
      if (member.state !== 'evacuated') throw new Error('Cluster member is busy')
      member.state = 'restoring'
      try {
        if (!onlyState) {
          for (const instance of instancesOn(call, member)) await startAgain(call, instance, work, member)
          for (const instance of cameFrom(call, member)) await bringBack(call, instance, member, work)
        }
        member.state = 'created'
      } catch (error) {
        member.state = 'evacuated'
        throw error
      }
      announce(call, 'cluster-member-restored', member)
    },
  })
}

function instancesOn({ state }: Call, member: Member): Instance[] {
  return state.instances.filter((instance) => instance.location === member.name)
}

function cameFrom({ state }: Call, member: Member): Instance[] {
  return state.instances.filter((instance) => instance.config[ORIGIN] === member.name)
}

/**
 * The events and their requestors are those of a real evacuation: stopping names nobody, moving the person, and starting
 * on the other member the cluster itself.
 */
async function move(call: Call, instance: Instance, target: Member, work: Work, origin: Member): Promise<void> {
  const wasRunning = instance.status === 'Running'
  if (wasRunning && instance.type === 'container') {
    await step(call, work, `Stopping ${named(instance)}`)
    instance.status = 'Stopped'
    tellOf(call, 'instance-shutdown', instance, origin)
  }
  await step(call, work, `Migrating ${named(instance)} to "${target.name}"`)
  await copy(call, work)
  instance.config[ORIGIN] ??= origin.name
  instance.location = target.name
  tellOf(call, 'instance-migrated', instance, origin, requestorOf(call))
  if (!wasRunning || instance.type !== 'container') return
  await step(call, work, `Starting ${named(instance)}`)
  instance.status = 'Running'
  tellOf(call, 'instance-started', instance, target, theCluster(call))
}

async function stopInPlace(call: Call, instance: Instance, work: Work, member: Member): Promise<void> {
  if (instance.status !== 'Running') return
  await step(call, work, `Stopping ${named(instance)}`)
  instance.status = 'Stopped'
  instance.config[POWER] = 'RUNNING'
  tellOf(call, 'instance-shutdown', instance, member)
}

async function startAgain(call: Call, instance: Instance, work: Work, member: Member): Promise<void> {
  if (instance.config[POWER] !== 'RUNNING') return
  await step(call, work, `Starting ${named(instance)}`)
  delete instance.config[POWER]
  instance.status = 'Running'
  tellOf(call, 'instance-started', instance, member)
}

async function bringBack(call: Call, instance: Instance, home: Member, work: Work): Promise<void> {
  const away = call.state.member(instance.location)
  const wasRunning = instance.status === 'Running'
  await step(call, work, `Migrating ${named(instance)} from "${away.name}"`)
  if (wasRunning && instance.type === 'container') {
    await step(call, work, `Stopping ${named(instance)}`)
    instance.status = 'Stopped'
    tellOf(call, 'instance-shutdown', instance, away, theCluster(call))
  }
  await copy(call, work)
  delete instance.config[ORIGIN]
  instance.location = home.name
  tellOf(call, 'instance-migrated', instance, away, theCluster(call))
  if (!wasRunning || instance.type !== 'container') return
  await step(call, work, `Starting ${named(instance)}`)
  instance.status = 'Running'
  tellOf(call, 'instance-started', instance, home)
}

async function step(call: Call, work: Work, text: string): Promise<void> {
  work.report({ evacuation_progress: text })
  await work.step(call.state.settings.moveMs)
}

/** While data moves, its progress takes the place of the evacuation's own, as in Incus. */
async function copy(call: Call, work: Work): Promise<void> {
  for (const percent of ['33', '66', '100']) {
    work.report({
      create_instance_from_image_unpack_progress: `Unpacking image: ${percent}% (48.64MB/s)`,
      progress: { percent, speed: '48640776', stage: 'create_instance_from_image_unpack' },
    })
    await work.step(call.state.settings.moveMs / 3)
  }
}

function named(instance: Instance): string {
  return `"${instance.name}" in project "${instance.project}"`
}

/** Where the scheduler would put it: the member with the fewest instances of those that are available. */
function emptiestOther(call: Call, member: Member): Member | undefined {
  const available = call.state.members.filter(
    (other) => other !== member && other.state === 'created' && other.answering && !call.state.isOffline(other, member),
  )
  const count = (other: Member): number => instancesOn(call, other).length
  return available.toSorted((one, other) => count(one) - count(other))[0]
}

function announce(call: Call, action: string, member: Member): void {
  const requestor = requestorOf(call)
  call.events.lifecycle({
    action,
    source: `/1.0/cluster/members/${member.name}`,
    location: member,
    ...(requestor === undefined ? {} : { requestor }),
  })
}

function tellOf(call: Call, action: string, instance: Instance, location: Member, requestor?: Requestor): void {
  call.events.lifecycle({
    action,
    source: `/1.0/instances/${instance.name}${instance.project === 'default' ? '' : `?project=${instance.project}`}`,
    location,
    project: instance.project,
    name: instance.name,
    ...(requestor === undefined ? {} : { requestor }),
  })
}

/** A member asking another one shows a certificate of its own. */
function theCluster({ via }: Call): Requestor {
  const username = createHash('sha256').update(via.name).digest('hex')
  return { username, protocol: 'cluster', address: via.host }
}
