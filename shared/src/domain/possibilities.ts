import type { Health } from '../api/health.ts'
import type { Reported } from '../api/members.ts'
import { isFinished, type Operation } from '../api/operations.ts'
import type { TrustEntry } from '../api/trust.ts'

/** Whether something can be done to an object as it is now. That a person may do it is another question. */
export type Possibility =
  | { readonly kind: 'can' }
  | { readonly kind: 'can-but'; readonly because: string }
  | { readonly kind: 'cannot'; readonly because: string }

interface MemberNow {
  readonly name: string
  readonly reported: { readonly value: Reported | null }
  readonly health: Pick<Health, 'standing' | 'symptom'>
}

/**
 * Incus forwards the call to the member itself and waits for it without a limit, so a member that does not answer
 * cannot be evacuated or restored (incus `cmd/incusd/api_cluster.go`, `clusterNodeStatePost`).
 */
export function canEvacuate(member: MemberNow): Possibility {
  return (
    notAnswering(member, 'evacuated') ??
    whileStatus(member, {
      Evacuated: `${member.name} is already evacuated.`,
      Evacuating: `${member.name} is being evacuated now.`,
      Restoring: `${member.name} is being restored now; wait until that is done.`,
      Offline: `The cluster calls ${member.name} Offline, and only a server that is online can be evacuated.`,
      Blocked: `${member.name} is blocked until all servers run the same version.`,
    })
  )
}

export function canRestore(member: MemberNow): Possibility {
  return (
    notAnswering(member, 'restored') ??
    whileStatus(member, {
      Online: `${member.name} is not evacuated.`,
      Evacuating: `${member.name} is being evacuated now; wait until that is done.`,
      Restoring: `${member.name} is being restored now.`,
      Offline: `The cluster calls ${member.name} Offline, and only a server that is online can be restored.`,
      Blocked: `${member.name} is blocked until all servers run the same version.`,
    })
  )
}

/**
 * Incus passes the call on to the member that does the work, which says itself whether it can be cancelled (incus
 * `internal/server/operations/operations.go`, `mayCancel`).
 *
 * @param health of that member; undefined where it is not known
 */
export function canCancel(
  operation: Pick<Operation, 'status' | 'mayCancel' | 'location'>,
  health: MemberNow['health'] | undefined,
): Possibility {
  if (operation.status === 'unknown') return { kind: 'cannot', because: 'The cluster no longer knows it.' }
  if (isFinished(operation)) return { kind: 'cannot', because: 'It has ended.' }
  if (operation.status === 'cancelling') return { kind: 'cannot', because: 'It is being cancelled now.' }
  if (!operation.mayCancel) return { kind: 'cannot', because: 'Incus cannot cancel this kind of work once it runs.' }
  const member = { name: operation.location ?? 'The server', health: health ?? { standing: 'unknown', symptom: null } }
  return notAnswering(member, 'cancelled') ?? { kind: 'can' }
}

function notAnswering(member: Pick<MemberNow, 'name' | 'health'>, participle: string): Possibility | undefined {
  const { standing, symptom } = member.health
  if (standing === 'untrusted') {
    return {
      kind: 'cannot',
      because: `${member.name} presents a certificate that is not the cluster's, so nothing is sent to it.`,
    }
  }
  if (standing === 'ejected' || symptom === 'stuck' || symptom === 'refusing' || symptom === 'unreachable') {
    return {
      kind: 'cannot',
      because:
        `${member.name} does not answer. Incus would pass the call on to it and wait; ` +
        `it can be ${participle} when it answers again.`,
    }
  }
  return undefined
}

function whileStatus(member: MemberNow, reasons: Readonly<Record<string, string>>): Possibility {
  const { value } = member.reported
  if (value === null) return { kind: 'can-but', because: `What the cluster says of ${member.name} is not known now.` }
  const because = reasons[value.status]
  if (because !== undefined) return { kind: 'cannot', because }
  if (member.health.symptom === 'slow') return { kind: 'can-but', because: `${member.name} answers slowly.` }
  return { kind: 'can' }
}

/**
 * The console's own entry is not taken from under it: it is rotated. Members trust each other by theirs, which leave with
 * them.
 *
 * @param all every entry of the trust store that can be seen
 */
export function canRemoveTrust(entry: TrustNow, all: readonly TrustNow[]): Possibility {
  if (entry.isConsole) {
    return { kind: 'cannot', because: 'It is the identity of this console. Rotate it to get another one.' }
  }
  if (entry.type === 'server') {
    return { kind: 'cannot', because: 'It is that of a server of the cluster, and leaves with it.' }
  }
  const isAdministrator = (one: TrustNow) => one.type === 'client' && !one.restricted && !one.isConsole
  if (isAdministrator(entry) && all.filter(isAdministrator).length === 1) {
    const because =
      'It is the last client that may do everything. Afterwards only people who sign in, this console, and root on a server administer the cluster.'
    return { kind: 'can-but', because }
  }
  return { kind: 'can' }
}

/** Restricting the console's own entry would shut it out of what it watches, and of undoing that. */
export function canRestrictTrust(entry: Pick<TrustNow, 'isConsole' | 'type'>): Possibility {
  if (entry.isConsole)
    return { kind: 'cannot', because: 'It is the identity of this console, which it would shut out.' }
  if (entry.type === 'server') return { kind: 'cannot', because: 'It is that of a server of the cluster.' }
  return { kind: 'can' }
}

type TrustNow = Pick<TrustEntry, 'fingerprint' | 'type' | 'restricted' | 'isConsole'>
