/** Taking a server out for maintenance, and bringing it back. Incus does the work; this decides whether to ask for it. */
import { canEvacuate, canRestore } from '@malleus/shared/domain/possibilities.ts'
import type { Possibility } from '@malleus/shared/domain/possibilities.ts'
import type { IncusOperation } from '@malleus/shared/incus/operation.ts'
import { IncusOperation as Operation } from '@malleus/shared/incus/operation.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { Answer } from '../gateway/request.ts'
import type { Members } from './members.ts'
import type { EvacuationMode, RestoreMode } from './modes.ts'
import { NotPossible } from './not-possible.ts'
import type { Asker } from './reported-by-cluster.ts'

export type StateChange =
  | { readonly action: 'evacuate'; readonly mode: EvacuationMode }
  | { readonly action: 'restore'; readonly mode: RestoreMode }

interface Ports {
  readonly members: Members
  readonly gateway: Pick<Gateway, 'write'>
}

/**
 * Asks Incus to evacuate or restore a server, once, through any member that answers.
 *
 * @throws NotFound for a name that is no member, NotPossible with the reason when its state does not allow it or this
 *   version does not know the mode, and what the gateway throws
 */
export async function changeState(
  { members, gateway }: Ports,
  asker: Asker,
  name: string,
  change: StateChange,
  signal?: AbortSignal,
): Promise<Answer<IncusOperation>> {
  const { member } = await members.get(asker, name)
  refuseUnless(change.action === 'evacuate' ? canEvacuate(member) : canRestore(member))
  const supported: readonly string[] = (await members.modes(asker))[change.action]
  if (!supported.includes(change.mode)) {
    throw new NotPossible(`This version of Incus cannot ${change.action} a server with the mode "${change.mode}".`)
  }
  return gateway.write({
    scope: asker.scope,
    target: asker.target,
    method: 'POST',
    path: `/cluster/members/${encodeURIComponent(name)}/state`,
    body: { action: change.action, mode: change.mode },
    parse: Operation,
    ...(signal && { signal }),
  })
}

function refuseUnless(possibility: Possibility): void {
  if (possibility.kind === 'cannot') throw new NotPossible(possibility.because)
}
