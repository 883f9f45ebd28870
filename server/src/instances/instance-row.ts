/** Incus's rows of instances in the words of the console, and what the list has to know of them. Pure. */
import type { Instance } from '@malleus/shared/api/instances.ts'
import { instanceKey } from '@malleus/shared/api/instances.ts'
import type { IncusInstance } from '@malleus/shared/incus/instance.ts'
import { instant } from '../lib/clock.ts'
import type { AnsweredRow, RowKind } from '../lists/known-list.ts'

export type InstanceRow = Omit<Instance, 'asOf'>

/** @param standalone name of the only server where there is no cluster; Incus says `none` then. */
export function answeredRow(instance: IncusInstance, standalone: string | null): AnsweredRow<InstanceRow> {
  const { name, project, told } = instance
  const isPlaced = instance.location !== '' && instance.location !== 'none'
  const location = isPlaced ? instance.location : standalone
  const known = { name, project, location, type: instance.type || null }
  return {
    key: instanceKey(instance),
    member: location ?? '',
    told,
    row: told
      ? {
          ...known,
          status: instance.status,
          architecture: instance.architecture,
          // The schema of the contract wants them changeable; nobody does.
          profiles: [...instance.profiles],
          description: instance.description,
          image: instance.image,
          addresses: [...instance.addresses],
          createdAt: instantOrNull(instance.created_at),
          lastUsedAt: instantOrNull(instance.last_used_at),
        }
      : { ...nothingTold, ...known },
  }
}

/** One that is known by name alone. */
export function namedRow(named: { readonly project: string; readonly name: string }): {
  readonly key: string
  readonly member: string
  readonly row: InstanceRow
} {
  const { project, name } = named
  return { key: instanceKey(named), member: '', row: { ...nothingTold, name, project, location: null, type: null } }
}

const nothingTold = {
  status: null,
  architecture: null,
  profiles: null,
  description: null,
  image: null,
  addresses: null,
  createdAt: null,
  lastUsedAt: null,
}

export const instanceRows: RowKind<InstanceRow> = {
  same: (a, b) =>
    a.status === b.status &&
    a.location === b.location &&
    a.type === b.type &&
    a.lastUsedAt === b.lastUsedAt &&
    a.createdAt === b.createdAt &&
    a.architecture === b.architecture &&
    a.description === b.description &&
    a.image === b.image &&
    sameList(a.profiles, b.profiles) &&
    sameList(a.addresses, b.addresses),
  keep: (before, { location, type }) =>
    before.location === location && before.type === type ? before : { ...before, location, type },
}

function sameList(a: readonly string[] | null, b: readonly string[] | null): boolean {
  if (a === null || b === null) return a === b
  return a.length === b.length && a.every((item, index) => item === b[index])
}

/** Incus sends nanoseconds and zones, and the year 1 for never. */
function instantOrNull(text: string): string | null {
  const ms = Date.parse(text)
  return Number.isNaN(ms) || ms <= 0 ? null : instant(ms)
}

/** Actions of Incus after which an instance is another than before; the rest leave its row as it is. */
const changing = new Set([
  'instance-created',
  'instance-renamed',
  'instance-updated',
  'instance-started',
  'instance-stopped',
  'instance-shutdown',
  'instance-restarted',
  'instance-paused',
  'instance-resumed',
  'instance-restored',
  'instance-ready',
  'instance-migrated',
])

/** What an action of Incus means for the row of its object. */
export function effectOf(action: string): 'changed' | 'gone' | 'none' {
  if (action === 'instance-deleted') return 'gone'
  return changing.has(action) ? 'changed' : 'none'
}
