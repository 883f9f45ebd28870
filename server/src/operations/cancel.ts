/** Ending background work before it is done. Incus does it; this decides whether to ask for it. */
import type { Health } from '@malleus/shared/api/health.ts'
import type { Operation } from '@malleus/shared/api/operations.ts'
import { canCancel } from '@malleus/shared/domain/possibilities.ts'
import type { Target } from '@malleus/shared/domain/target.ts'
import { z } from 'zod'
import type { Gateway } from '../gateway/gateway.ts'
import type { Answer } from '../gateway/request.ts'
import type { Scope } from '../gateway/scope.ts'
import { CannotCancel, NoSuchOperation } from './operation-error.ts'
import type { Operations } from './operations.ts'

/** The parts of a cluster that cancelling needs. */
export interface CancelPorts {
  readonly operations: Pick<Operations, 'get'>
  readonly gateway: Pick<Gateway, 'write'>
  readonly directory: { get(member: string): object | undefined }
  readonly board: { current(member: string): Pick<Health, 'standing' | 'symptom'> }
}

interface Asker {
  readonly scope: Scope
  /** Through which members the person wants requests to enter. */
  readonly target: Target
}

/**
 * Asks Incus to cancel an operation, once. Gives it as it is right after.
 *
 * @param project the one that the operation is said to belong to, by which it was decided that the person may
 * @throws NoSuchOperation where the person sees none of that id in that project, CannotCancel with the reason when its
 *   state does not allow it, and what the gateway throws
 */
export async function cancelOperation(
  { operations, gateway, directory, board }: CancelPorts,
  { scope, target }: Asker,
  id: string,
  project: string | null,
  signal?: AbortSignal,
): Promise<{ readonly answer: Answer<unknown>; readonly operation: Operation }> {
  const { operation } = await operations.get(id)
  if (operation.project !== project) throw new NoSuchOperation()
  const { location } = operation
  const possibility = canCancel(operation, location === null ? undefined : board.current(location))
  if (possibility.kind === 'cannot') throw new CannotCancel(possibility.because)
  const answer = await gateway.write({
    scope,
    // Any other would only pass it on to where the work is done, and wait for that one.
    target:
      target.kind === 'any' && location !== null && directory.get(location) !== undefined
        ? { kind: 'member', name: location }
        : target,
    method: 'DELETE',
    path: `/operations/${encodeURIComponent(id)}`,
    parse: z.unknown(),
    ...(signal && { signal }),
  })
  return { answer, operation: (await operations.get(id)).operation }
}
