// What to do when `up` finds something already there. Pure, because a mistake here deletes somebody's cluster.

import type { Claim } from './bridge.ts'
import type { LabRecord } from './state-directory.ts'

export interface Found {
  /** What the state directory says; undefined when it holds no lab. */
  readonly record: LabRecord | undefined
  /** The state directory exists and has something in it, but not the record of a lab. */
  readonly unknownFiles: boolean
  /** Is the process that was building the lab still there? */
  readonly builderAlive: boolean
  /** Are the lab's network and mounts still there? They go with a restart of the machine. */
  readonly roomStands: boolean
  /** The labs that have a bridge. */
  readonly claims: readonly Claim[]
}

export interface Wanted {
  readonly name: string
  readonly stateDirectory: string
  /** Undefined: whatever is there, or the default. */
  readonly members: number | undefined
}

export type Beginning =
  /** There is nothing: build. */
  | { readonly kind: 'build' }
  /** There are remains of a lab that did not get ready, or lost its machine: remove them, then build. */
  | { readonly kind: 'rebuild'; readonly slots: readonly number[] }
  /** The lab stands: start what is missing. */
  | { readonly kind: 'reuse' }
  | { readonly kind: 'refuse'; readonly reason: string }

/** How `up` begins, given what it found. */
export function planBeginning(found: Found, wanted: Wanted): Beginning {
  const elsewhere = found.claims.find(
    (claim) => claim.name === wanted.name && claim.stateDirectory !== wanted.stateDirectory,
  )
  if (elsewhere !== undefined) {
    return refuse(
      `a lab named ${wanted.name} already lives in ${elsewhere.stateDirectory}; take that one down or choose another name`,
    )
  }
  const neighbour = found.claims.find(
    (claim) => claim.stateDirectory === wanted.stateDirectory && claim.name !== wanted.name,
  )
  if (neighbour !== undefined) {
    return refuse(`the lab ${neighbour.name} already lives in ${wanted.stateDirectory}; choose another state directory`)
  }
  const { record } = found
  const slots = slotsOf(found, wanted)
  if (record === undefined) {
    // Files without a record are ours only if a bridge says so; then somebody deleted the record.
    if (found.unknownFiles && slots.length === 0) {
      return refuse(`${wanted.stateDirectory} exists and is not a lab; choose an empty or new directory`)
    }
    return slots.length === 0 ? { kind: 'build' } : { kind: 'rebuild', slots }
  }
  if (record.name !== wanted.name) return refuse(`${wanted.stateDirectory} belongs to the lab ${record.name}`)
  if (record.phase === 'forming' && found.builderAlive) {
    return refuse(`process ${record.builder.pid} is just building this lab`)
  }
  if (record.phase === 'forming' || !found.roomStands) return { kind: 'rebuild', slots }
  if (wanted.members !== undefined && wanted.members !== record.members) {
    return refuse(`this lab has ${record.members} members, not ${wanted.members}; take it down first`)
  }
  return { kind: 'reuse' }
}

export type Ending =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'remove'; readonly slots: readonly number[] }
  | { readonly kind: 'refuse'; readonly reason: string }

/** How `down` ends a lab, given what it found. `self` is the process that asks: it may take down what it is building. */
export function planEnding(found: Found, wanted: Omit<Wanted, 'members'>, self: number): Ending {
  const { record } = found
  const slots = slotsOf(found, wanted)
  if (record === undefined) {
    if (slots.length > 0) return { kind: 'remove', slots }
    return found.unknownFiles ? refuse(`${wanted.stateDirectory} is not a lab`) : { kind: 'nothing' }
  }
  if (record.name !== wanted.name) return refuse(`${wanted.stateDirectory} belongs to the lab ${record.name}`)
  if (record.phase === 'forming' && found.builderAlive && record.builder.pid !== self) {
    return refuse(`process ${record.builder.pid} is just building this lab; end that first`)
  }
  return { kind: 'remove', slots }
}

/** Every slot that holds something of this lab. */
export function slotsOf(
  found: Pick<Found, 'record' | 'claims'>,
  wanted: Pick<Wanted, 'name' | 'stateDirectory'>,
): number[] {
  const claimed = found.claims
    .filter((claim) => claim.name === wanted.name && claim.stateDirectory === wanted.stateDirectory)
    .map((claim) => claim.slot)
  // A slot the record names may since have been taken by another lab: then its bridge says so.
  const slot = found.record?.slot
  const stolen = found.claims.some((claim) => claim.slot === slot && !claimed.includes(claim.slot))
  return [...new Set(slot === undefined || stolen ? claimed : [...claimed, slot])]
}

function refuse(reason: string): { kind: 'refuse'; reason: string } {
  return { kind: 'refuse', reason }
}
