import type { HealthSettings } from './health-settings.ts'

/** How one member's deep probes went lately. Times are monotonic milliseconds. */
export interface DeepRecord {
  /** Failed ones in a row. */
  readonly failures: number
  readonly firstFailureAt: number | null
  readonly answeredAt: number | null
}

export const noDeepRecord: DeepRecord = { failures: 0, firstFailureAt: null, answeredAt: null }

export function nextDeepRecord(record: DeepRecord, answered: boolean, now: number): DeepRecord {
  if (answered) return { failures: 0, firstFailureAt: null, answeredAt: now }
  return { ...record, failures: record.failures + 1, firstFailureAt: record.firstFailureAt ?? now }
}

export interface DatabaseJudgement {
  /** Whether the cluster database answers; null before anybody asked. */
  readonly available: boolean | null
  /** When the first of the failures began by which it is gone; monotonic, null while it is not. */
  readonly goneSince: number | null
  /** Members whose way to it is broken while another member's is not. */
  readonly cutOff: ReadonlySet<string>
}

/**
 * Whether the database is gone for everybody, or some members are cut off from it.
 *
 * All reads go through one leader, so when that is lost every member's question hangs at once
 * (cowsql; it lasts until a new leader is elected). That is the cluster's trouble and no member's: nobody's standing
 * changes, since every member is as good or bad as the next. A member is cut off only if another one was answered
 * after its own failures began.
 *
 * @param records of the members that answer light probes; the others have no say, and their records are empty
 * @param silent how many members do not answer light probes
 */
export function judgeDatabase(
  records: ReadonlyMap<string, DeepRecord>,
  silent: number,
  settings: HealthSettings,
): DatabaseJudgement {
  const all = [...records.values()].filter((record) => record.failures > 0 || record.answeredAt !== null)
  const failing = all.filter((record) => record.failures > 0)
  const failures = failing.reduce((sum, record) => sum + record.failures, 0)
  // One failure alone may be a lost packet: in a cluster of one it takes two in a row. Beside members that do not answer
  // at all it is no accident, once everybody else was asked.
  const isNoAccident = failures >= 2 || (silent > 0 && failures > 0 && all.length + silent >= records.size)
  const gone = failing.length === all.length && isNoAccident
  const cutOff = [...records].filter(
    ([name, record]) =>
      record.failures >= settings.deepFailuresToDegrade && someoneElseWasAnswered(records, name, record),
  )
  return {
    available: all.length === 0 ? null : !gone,
    goneSince: gone ? Math.min(...failing.map(({ firstFailureAt }) => firstFailureAt ?? Infinity)) : null,
    cutOff: new Set(cutOff.map(([name]) => name)),
  }
}

function someoneElseWasAnswered(records: ReadonlyMap<string, DeepRecord>, name: string, failing: DeepRecord): boolean {
  const since = failing.firstFailureAt ?? Infinity
  return [...records].some(
    ([other, record]) => other !== name && record.failures === 0 && (record.answeredAt ?? -Infinity) > since,
  )
}
