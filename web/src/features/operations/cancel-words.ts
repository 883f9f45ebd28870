import type { Health } from '@malleus/shared/api/health.ts'
import type { Operation } from '@malleus/shared/api/operations.ts'
import { canCancel } from '@malleus/shared/domain/possibilities.ts'

/** Ending background work before it is done: whether it can be, what that does, how to say it to incus. */

/**
 * Why it cannot be cancelled now; nothing when it can. What it is comes first: who may do it does not matter then.
 *
 * @param databaseAvailable of the cluster; null or undefined where that is not known
 * @param enters why requests cannot enter where the person wants them to
 */
export function whyNot(
  operation: Operation,
  health: Health | undefined,
  permission: { readonly may: boolean; readonly because: string },
  databaseAvailable: boolean | null | undefined,
  enters: string | undefined,
): string | undefined {
  const possibility = canCancel(operation, health)
  if (possibility.kind === 'cannot') return possibility.because
  if (!permission.may) return permission.because
  if (databaseAvailable === false)
    return 'The cluster database does not answer; nothing can be cancelled until it is back.'
  return enters === undefined ? undefined : `${enters}, and it is your target.`
}

/** What cancelling it does, before it does. */
export function consequence({ description, location }: Operation): string {
  const where = location === null ? 'the server' : location
  return `Incus is asked to stop it on ${where}. ${undone(description)}`
}

function undone(description: string): string {
  if (/download|image/i.test(description)) return 'What was fetched so far is thrown away.'
  if (/backup|backing up|export/i.test(description)) return 'What was written so far is thrown away.'
  if (/migrat|copy|mov/i.test(description)) return 'What was copied so far may be left where it was going.'
  return 'What it has done so far is not undone.'
}

export function equivalentCommand(cluster: string, { id }: Operation): string {
  return `incus operation delete ${cluster}:${id}`
}
