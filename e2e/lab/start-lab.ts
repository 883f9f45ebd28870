// Brings a lab up: builds it, or starts what is missing of one that stands.

import { planAddresses, type AddressPlan } from './address-plan.ts'
import { claimSlot, connect, removeLinks } from './bridge.ts'
import { configure, formCluster } from './cluster.ts'
import { planBeginning } from './leftovers.ts'
import { prepareMachine } from './machine.ts'
import { startDaemon, untilReady } from './member-process.ts'
import { createNetwork, furnish, networkFile, openRoom, roomStands, type NamespaceRoom } from './namespace.ts'
import { identify } from './process-identity.ts'
import type { ProviderFacts } from './provider-facts.ts'
import { prepareProvider, startProvider, trustAuthorities } from './provider.ts'
import { clear, lookAround, placeOf, type LabName } from './remove-lab.ts'
import { Lab } from './running-lab.ts'
import { StateDirectory, type LabRecord } from './state-directory.ts'

export interface LabOptions extends LabName {
  /** 1 to 25. Default: what is there, or 3. */
  readonly members?: number
  /**
   * The identity provider the members believe. `http` (default) and `https` start one in a process of its own; `none`
   * leaves the members without OpenID Connect until `trustProvider`.
   */
  readonly provider?: 'http' | 'https' | 'none'
  /** Where the console will be, for the lab's own provider. Default: `http://localhost:8480` and `http://127.0.0.1:8480`. */
  readonly consoleUrls?: readonly string[]
  /** PEM certificates of authorities by which the members believe a provider on HTTPS that the lab does not start. Default: the machine's. */
  readonly trustedAuthorities?: readonly string[]
  /** `cluster.offline_threshold`, more than 10. Default: Incus's own, 20. */
  readonly offlineThresholdSeconds?: number
  /** Told what happens, a line at a time. Default: nobody. */
  readonly told?: (line: string) => void
}

/**
 * Starts a lab and gives it when the cluster is whole. A lab of this name that stands already is given as it is, with
 * its faults; one that was interrupted is cleared away first. Installs Debian packages when they are missing.
 *
 * Throws `MachineUnfit` where a lab cannot be, and an error that says why where it may not be.
 */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const { told = () => undefined } = options
  const place = placeOf(options)
  if (options.offlineThresholdSeconds !== undefined && !(options.offlineThresholdSeconds > 10)) {
    throw new RangeError('Incus takes an offline threshold of more than 10 seconds only')
  }
  if (options.members !== undefined) planAddresses(0, options.members)
  await prepareMachine(told)
  const state = new StateDirectory(place.stateDirectory)
  const found = await lookAround(state)
  const beginning = planBeginning(found, { ...place, members: options.members })
  if (beginning.kind === 'refuse') throw new Error(beginning.reason)
  if (beginning.kind === 'reuse' && found.record !== undefined) return await resume(new Lab(state, found.record), told)
  if (beginning.kind === 'rebuild') {
    told('clearing away an interrupted lab')
    await clear(state, beginning.slots)
  }
  return await build(state, place.name, options, told)
}

/** The lab of this name, when it stands. */
export async function openLab(lab: LabName = {}): Promise<Lab | undefined> {
  const place = placeOf(lab)
  const state = new StateDirectory(place.stateDirectory)
  const record = state.readLab()
  if (record === undefined || record.name !== place.name || record.phase !== 'up') return undefined
  return (await roomStands(state.room(record.slot), 'server1')) ? new Lab(state, record) : undefined
}

async function build(
  state: StateDirectory,
  name: string,
  options: LabOptions,
  told: (line: string) => void,
): Promise<Lab> {
  const builder = identify(process.pid)
  if (builder === undefined) throw new Error('this process has no entry in /proc')
  const slot = await claimSlot(name, state.path)
  const plan = planAddresses(slot, options.members ?? 3)
  const record: LabRecord = {
    name,
    slot,
    members: plan.members.length,
    phase: 'forming',
    builder,
    ownProvider: false,
  }
  try {
    state.take(record)
  } catch (error) {
    await removeLinks(slot)
    throw error
  }
  try {
    const room = state.room(slot)
    const provider = await furnishLab(state, room, plan, options)
    told(
      `${plan.members.length} members and ${provider === undefined ? 'no' : 'an'} identity provider started in ${plan.subnet}`,
    )
    await formCluster(state, plan, told)
    const lab = new Lab(state, record)
    const threshold = options.offlineThresholdSeconds
    if (threshold !== undefined) await configure(lab.socket('server1'), { 'cluster.offline_threshold': `${threshold}` })
    if (provider !== undefined) await lab.trustProvider(provider)
    state.writeLab({
      ...record,
      phase: 'up',
      ownProvider: provider !== undefined,
      ...(provider === undefined ? {} : { provider }),
    })
    return lab
  } catch (error) {
    await clear(state, [slot])
    throw error
  }
}

/** Namespaces, daemons and provider; all of them answer afterwards. */
async function furnishLab(
  state: StateDirectory,
  room: NamespaceRoom,
  plan: AddressPlan,
  options: LabOptions,
): Promise<ProviderFacts | undefined> {
  const {
    provider = 'http',
    consoleUrls = ['http://localhost:8480', 'http://127.0.0.1:8480'],
    trustedAuthorities = [],
  } = options
  await openRoom(room)
  await Promise.all(plan.members.map(({ name }) => createNetwork(room, name)))
  await connect(plan, (name) => networkFile(room, name))
  if (trustedAuthorities.length > 0) trustAuthorities(state, trustedAuthorities)
  const facts =
    provider === 'none' ? undefined : prepareProvider(state, plan.host, { tls: provider === 'https', consoleUrls })
  const ready = plan.members.map(async ({ name, address }) => {
    await furnish(room, { name, address, gateway: plan.host })
    await startDaemon(state, room, name)
    await untilReady(state, name)
  })
  await Promise.all([...ready, facts === undefined ? undefined : startProvider(state, room, facts)])
  return facts
}

/** Starts again what ended by itself. What was broken on purpose stays broken. */
async function resume(lab: Lab, told: (line: string) => void): Promise<Lab> {
  const { members, provider } = await lab.status()
  const ended = members.filter((member) => member.fault === undefined && member.process !== 'running')
  for (const { name } of ended) {
    told(`${name} had ended; starting it again`)
    await lab.mend(name)
  }
  const state = new StateDirectory(lab.stateDirectory)
  const record = state.readLab()
  if (provider?.answers === false && record?.ownProvider === true && record.provider !== undefined) {
    told('the identity provider had ended; starting it again')
    await startProvider(state, state.room(record.slot), record.provider)
  }
  return lab
}
