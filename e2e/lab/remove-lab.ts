// What is there of a lab, and how it is taken away.

import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readClaims, removeLinks } from './bridge.ts'
import { planEnding, type Found } from './leftovers.ts'
import { closeRoom, roomStands } from './namespace.ts'
import { stateOf } from './process-identity.ts'
import { defaultStateDirectory, StateDirectory } from './state-directory.ts'

/** Which lab is meant. */
export interface LabName {
  /** Letters, digits and dashes. Labs of other names run beside this one. Default: `lab`. */
  readonly name?: string
  /** Absolute path of a folder that does not exist yet, or holds this lab. Default: `/run/malleus-lab/NAME`. */
  readonly stateDirectory?: string
}

/** Removes whatever is there of the lab of this name, whole or not. False when there was nothing. */
export async function removeLab(lab: LabName = {}): Promise<boolean> {
  const place = placeOf(lab)
  const state = new StateDirectory(place.stateDirectory)
  const ending = planEnding(await lookAround(state), place, process.pid)
  if (ending.kind === 'refuse') throw new Error(ending.reason)
  if (ending.kind === 'remove') await clear(state, ending.slots)
  return ending.kind === 'remove'
}

/** The name and the folder of a lab, with the defaults filled in. */
export function placeOf({ name = 'lab', stateDirectory }: LabName): Required<LabName> {
  if (!/^[a-z0-9][a-z0-9-]{0,30}$/i.test(name)) {
    throw new Error(`${name} is no name for a lab: letters, digits and dashes, at most 31`)
  }
  return { name, stateDirectory: stateDirectory ?? defaultStateDirectory(name) }
}

/** Removes a lab that `planBeginning` or `planEnding` found to be ours. */
export async function clear(state: StateDirectory, slots: readonly number[]): Promise<void> {
  for (const slot of slots) await closeRoom(state.room(slot))
  removeLocks(state.path)
  // The files before the bridge: as long as there is a claim, an interrupted `down` can be repeated.
  state.remove()
  for (const slot of slots) await removeLinks(slot)
}

/** Finds what there is of a lab. */
export async function lookAround(state: StateDirectory): Promise<Found> {
  const record = state.readLab()
  return {
    record,
    unknownFiles: record === undefined && state.exists && !isEmptyDirectory(state.path),
    builderAlive: record !== undefined && stateOf(record.builder) !== 'gone',
    roomStands: record !== undefined && (await roomStands(state.room(record.slot), 'server1')),
    claims: existsSync(ipProgram) ? await readClaims() : [],
  }
}

/** LXC keeps a lock for each container under /run/lxc/lock, by the path of its folder. */
function removeLocks(path: string): void {
  const locks = '/run/lxc/lock'
  rmSync(join(locks, path), { recursive: true, force: true })
  for (let folder = dirname(join(locks, path)); folder !== '/run'; folder = dirname(folder)) {
    try {
      rmdirSync(folder)
    } catch {
      return // Not empty: others keep theirs there. Or there never was one.
    }
  }
}

function isEmptyDirectory(path: string): boolean {
  try {
    return readdirSync(path).length === 0
  } catch {
    return false
  }
}

/** Without it there has never been a lab on this machine. */
const ipProgram = '/usr/bin/ip'
