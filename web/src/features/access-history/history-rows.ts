import type { AuditRecord } from '@malleus/shared/api/audit.ts'
import { historyResult } from '@malleus/shared/domain/history-facts.ts'
import type { HistoryResult } from '@malleus/shared/domain/history-filter.ts'
import { joinRecords, type HistoryWay } from '@malleus/shared/domain/join-records.ts'

/** One thing that was done, as far as its records are on the page. */
export interface HistoryRow {
  /** Place of the record that stands for it: `chain:seq`. */
  readonly place: string
  readonly record: AuditRecord
  readonly result: HistoryResult
  readonly way: HistoryWay
  /** It was done through here, and Incus did not say so in time. */
  readonly unconfirmed: boolean
  /** Places of all its records on the page. */
  readonly places: readonly string[]
}

/** Records as rows: what was announced, answered, logged by a member and told by Incus is one row. */
export function historyRows(records: readonly AuditRecord[], order: 'newest' | 'oldest'): readonly HistoryRow[] {
  const rows = joinRecords(records).map(({ head, parts, way, unconfirmed }): HistoryRow => ({
    place: placeOf(head),
    record: head,
    result: historyResult(head),
    way,
    unconfirmed,
    places: parts.map(placeOf),
  }))
  return order === 'newest' ? rows : rows.toReversed()
}

export function placeOf({ chain, seq }: Pick<AuditRecord, 'chain' | 'seq'>): string {
  return `${chain}:${seq}`
}
