import { requestorOf } from './call.ts'
import type { Call } from './call.ts'
import type { Instance } from './instances.ts'
import type { Member } from './member.ts'
import type { Operation, Work } from './operations.ts'

const ORIGIN = 'volatile.evacuate.origin'
const POWER = 'volatile.last_state.power'

/** The modes `POST /1.0/cluster/members/{name}/state` takes besides the empty one. */
export function evacuationModes(seven: boolean): string[] {
  const modes = ['auto', 'stop', 'migrate', 'live-migrate', 'stateful-stop', 'force-stop']
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
          if (target === undefined) await stopInPlace(call, instance, work)
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

/** Makes a member available again and brings back what came from it. Mode `skip` only does the first. */
export function restore(call: Call, member: Member, mode: string): Operation {
  return call.operations.start({
    class: 'task',
    description: 'Restoring cluster member',
    location: member,
    run: async (work) => {
      if (member.state === 'created') throw new Error('Cluster member is already restored')
      if (member.state !== 'evacuated') throw new Error('Cluster member is busy')
      member.state = 'restoring'
      try {
        if (mode !== 'skip') {
          for (const instance of instancesOn(call, member)) await startAgain(call, instance, work)
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

async function move(call: Call, instance: Instance, target: Member, work: Work, origin: Member): Promise<void> {
  const { moveMs } = call.state.settings
  const wasRunning = instance.status === 'Running'
  if (wasRunning && instance.type === 'container') {
    work.progress('evacuation_progress', `Stopping "${instance.name}" in project "${instance.project}"`)
    await work.step(moveMs)
    instance.status = 'Stopped'
    tellOf(call, 'instance-shutdown', instance, origin)
  }
  work.progress(
    'evacuation_progress',
    `Migrating "${instance.name}" in project "${instance.project}" to "${target.name}"`,
  )
  await work.step(moveMs)
  instance.config[ORIGIN] ??= origin.name
  instance.location = target.name
  tellOf(call, 'instance-migrated', instance, target)
  if (!wasRunning || instance.status === 'Running') return
  work.progress('evacuation_progress', `Starting "${instance.name}" in project "${instance.project}"`)
  await work.step(moveMs)
  instance.status = 'Running'
  tellOf(call, 'instance-started', instance, target)
}

async function stopInPlace(call: Call, instance: Instance, work: Work): Promise<void> {
  if (instance.status !== 'Running') return
  work.progress('evacuation_progress', `Stopping "${instance.name}" in project "${instance.project}"`)
  await work.step(call.state.settings.moveMs)
  instance.status = 'Stopped'
  instance.config[POWER] = 'RUNNING'
  tellOf(call, 'instance-shutdown', instance, call.state.member(instance.location))
}

async function startAgain(call: Call, instance: Instance, work: Work): Promise<void> {
  if (instance.config[POWER] !== 'RUNNING') return
  work.progress('evacuation_progress', `Starting "${instance.name}" in project "${instance.project}"`)
  await work.step(call.state.settings.moveMs)
  delete instance.config[POWER]
  instance.status = 'Running'
  tellOf(call, 'instance-started', instance, call.state.member(instance.location))
}

async function bringBack(call: Call, instance: Instance, home: Member, work: Work): Promise<void> {
  work.progress(
    'evacuation_progress',
    `Migrating "${instance.name}" in project "${instance.project}" from "${instance.location}"`,
  )
  await work.step(call.state.settings.moveMs)
  delete instance.config[ORIGIN]
  instance.location = home.name
  tellOf(call, 'instance-migrated', instance, home)
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

function tellOf(call: Call, action: string, instance: Instance, location: Member): void {
  const requestor = requestorOf(call)
  call.events.lifecycle({
    action,
    source: `/1.0/instances/${instance.name}${instance.project === 'default' ? '' : `?project=${instance.project}`}`,
    location,
    project: instance.project,
    name: instance.name,
    ...(requestor === undefined ? {} : { requestor }),
  })
}
