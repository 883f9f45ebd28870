/** What became of a change of the trust whose answer was lost: the trust store itself is the witness. */
import { addTrustEntry, updateTrustEntry } from '@malleus/shared/api/trust.ts'
import { IncusTrustEntry } from '@malleus/shared/incus/certificate.ts'
import { IncusOperation } from '@malleus/shared/incus/operation.ts'
import type { z } from 'zod'
import { fingerprintOf } from '../clusters/trust.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { MemberError } from '../gateway/member-error.ts'
import type { Sighting, UnknownMutation } from '../mutations/reconciler.ts'
import { readCertificate } from './change-trust.ts'

/**
 * Looks once, with the console's own identity.
 *
 * @throws what the gateway throws where it cannot be looked at now
 */
export async function lookAtTrust(
  gateway: Pick<Gateway, 'read'>,
  { action, object, body }: Pick<UnknownMutation, 'action' | 'object' | 'body'>,
): Promise<Sighting> {
  switch (action) {
    case 'trust.add': {
      const { certificate } = addTrustEntry.body.parse(body)
      const entry = await entryOf(gateway, fingerprintOf(readCertificate(certificate)))
      return entry === null ? notApplied : applied
    }
    case 'trust.update': {
      const { name, restricted, projects } = updateTrustEntry.body.parse(body)
      const entry = await entryOf(gateway, object)
      if (entry === null) return nothing
      const isSame = entry.name === name && entry.restricted === restricted
      const isWhere = !restricted || entry.projects.toSorted().join() === projects.toSorted().join()
      return isSame && isWhere ? applied : notApplied
    }
    case 'trust.remove':
      return (await entryOf(gateway, object)) === null ? applied : notApplied
    case 'trust.withdraw': {
      const operation = await orNull(gateway, `/operations/${encodeURIComponent(object)}`, IncusOperation)
      return operation === null || operation.status_code >= 200 ? applied : notApplied
    }
    default:
      // A token that nobody has seen is no use to anybody; which of those that are pending it is, nobody can say.
      return nothing
  }
}

const applied: Sighting = { kind: 'applied', operation: null }
const notApplied: Sighting = { kind: 'not-applied' }
const nothing: Sighting = { kind: 'nothing' }

function entryOf(gateway: Pick<Gateway, 'read'>, fingerprint: string): Promise<IncusTrustEntry | null> {
  return orNull(gateway, `/certificates/${encodeURIComponent(fingerprint)}`, IncusTrustEntry)
}

async function orNull<Parsed>(
  gateway: Pick<Gateway, 'read'>,
  path: string,
  parse: z.ZodType<Parsed>,
): Promise<Parsed | null> {
  try {
    const { value } = await gateway.read({
      class: 'read',
      scope: { kind: 'console' },
      target: { kind: 'any' },
      path,
      parse,
    })
    return value
  } catch (error) {
    if (error instanceof MemberError && error.status === 404) return null
    throw error
  }
}
