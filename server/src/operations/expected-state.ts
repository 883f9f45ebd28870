import type { Operation } from '@malleus/shared/api/operations.ts'
import { instanceIn } from '@malleus/shared/incus/instance.ts'

/** How the object of an operation is once the operation has done what it was begun for. */
export type ExpectedState =
  | { readonly kind: 'member'; readonly name: string; readonly status: string }
  | {
      readonly kind: 'instance'
      readonly name: string
      readonly project: string
      /** `there`: in whatever state. */
      readonly state: 'there' | 'gone' | 'Running' | 'Stopped'
    }

/** By Incus's own descriptions (incus `internal/server/db/operationtype/operation_type.go`). */
const ofMember: Readonly<Record<string, string>> = {
  'Evacuating cluster member': 'Evacuated',
  'Restoring cluster member': 'Online',
}
const ofInstance: Readonly<Record<string, Extract<ExpectedState, { kind: 'instance' }>['state']>> = {
  'Creating instance': 'there',
  'Deleting instance': 'gone',
  'Starting instance': 'Running',
  'Stopping instance': 'Stopped',
}

/** Null where what the object is like does not tell: of a restart or a copy nothing is left to see. */
export function expectedState({ description, resources }: Operation): ExpectedState | null {
  const status = ofMember[description]
  const [member] = resources.flatMap((path) => /^\/1\.0\/cluster\/members\/([^/?]+)/.exec(path)?.[1] ?? [])
  if (status !== undefined && member !== undefined) return { kind: 'member', name: decoded(member), status }
  const state = ofInstance[description]
  const instances = resources.flatMap((path) => instanceIn(path) ?? [])
  const [instance] = instances
  if (state === undefined || instance === undefined || instances.length > 1) return null
  return { kind: 'instance', ...instance, state }
}

function decoded(piece: string): string {
  try {
    return decodeURIComponent(piece)
  } catch {
    return piece
  }
}
