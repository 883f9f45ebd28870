import { throughConsole } from '@malleus/shared/domain/join-records.ts'
import { auditEntry, incusActor, requestOf, throughMember } from '../audit/record.ts'
import type { AuditEntry } from '../audit/record.ts'
import { withoutAddresses } from '../lib/without-addresses.ts'
import type { AccessLine } from './access-line.ts'
import type { Origin } from './own-requests.ts'
import { isRead } from './own-requests.ts'
import type { StreamGap } from './stream-store.ts'

/**
 * A line of the request log as the history has it. It says that Incus took the request or refused it at the door; what
 * came of it, Incus writes nowhere.
 *
 * @param count how many equal ones it stands for
 */
export function lineEntry(cluster: string, line: AccessLine, origin: Origin, count: number): AuditEntry {
  const { kind, id, member, user, address, method, asked } = line
  const { route = '', path = '', object = null, project = null, placement = null, query = [] } = asked ?? {}
  return auditEntry({
    source: 'incus',
    action: actionOf(line),
    cluster,
    actor: user === null ? null : incusActor(user.name, user.protocol),
    src: { ip: address, via: null },
    req: requestOf({ id, method: method ?? '', route, path, query: [...query], project, placement, count }),
    object,
    up: throughMember(member, user?.name ?? null),
    decision: { allow: kind === 'handled' || kind === 'open', rule: origin === 'through' ? throughConsole : kind },
  })
}

/** A time that is missing in the history; recorded when it is over, by this console. */
export function gapEntry(cluster: string, gap: StreamGap, member: string | null): AuditEntry {
  return auditEntry({
    source: 'incus',
    action: member === null ? 'events.gap' : 'requests.gap',
    cluster,
    object: member,
    up: throughMember(member, null),
    // Auditors read it, and where members are is for administrators.
    decision: { allow: true, rule: withoutAddresses(gap.reason) },
    during: { from: new Date(gap.from).toISOString(), to: new Date(gap.to).toISOString() },
  })
}

function actionOf({ kind, method }: AccessLine): string {
  if (kind === 'refused' || kind === 'unknown-path') return 'request.refused'
  if (kind === 'open') return 'request.open'
  return isRead(method) ? 'request.read' : 'request.change'
}
