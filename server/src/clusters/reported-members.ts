import type { Reported } from '@malleus/shared/api/members.ts'
import type { IncusMember } from '@malleus/shared/incus/member.ts'
import { Subscribable } from '../lib/subscribable.ts'

/** What the cluster said of its members at one moment; `at` is wall clock. */
export interface ReportedList {
  readonly rows: ReadonlyMap<string, Reported>
  readonly at: number
}

/** The last list of members that the console itself read. It tells its listeners when anything in it is different. */
export class ReportedMembers {
  readonly #changes = new Subscribable<ReportedList>()
  #latest: ReportedList | null = null

  /** Null until the console has read one. */
  get latest(): ReportedList | null {
    return this.#latest
  }

  note(members: readonly IncusMember[], at: number): void {
    const before = this.#latest
    this.#latest = reportedList(members, at)
    if (before?.rows === this.#latest.rows) return
    if (before === null || textOf(before) !== textOf(this.#latest)) this.#changes.publish(this.#latest)
  }

  /** Returns what ends it. */
  subscribe(listener: (list: ReportedList) => void): () => void {
    return this.#changes.subscribe(listener)
  }
}

/** By the answer they were made of: equal answers are one and the same. */
const rowsOf = new WeakMap<readonly IncusMember[], ReportedList['rows']>()

/** Incus's rows in the words of the console. */
export function reportedList(members: readonly IncusMember[], at: number): ReportedList {
  let rows = rowsOf.get(members)
  if (rows === undefined) {
    rows = new Map(members.map((member) => [member.server_name, reportedOf(member)]))
    rowsOf.set(members, rows)
  }
  return { rows, at }
}

function reportedOf(member: IncusMember): Reported {
  return {
    status: member.status === '' ? 'Unknown' : member.status,
    message: member.message,
    roles: member.roles,
    groups: member.groups,
    failureDomain: member.failure_domain,
    architecture: member.architecture,
    description: member.description,
    database: member.database,
  }
}

/**
 * The text of what is compared. An offline member's message counts the time ("No heartbeat for 20.02s"), which is no
 * change.
 */
function textOf({ rows }: ReportedList): string {
  return JSON.stringify(
    [...rows].map(([name, row]) => [name, row.status === 'Offline' ? { ...row, message: '' } : row]),
  )
}
