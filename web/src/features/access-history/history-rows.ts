import type { AuditRecord } from '@malleus/shared/api/audit.ts'
import { historyResult } from '@malleus/shared/domain/history-facts.ts'
import type { HistoryResult } from '@malleus/shared/domain/history-filter.ts'

/** One thing that was done, as far as its records are on the page: the newest of them stands for it. */
export interface HistoryRow {
  /** Place of the record that stands for it: `chain:seq`. */
  readonly place: string
  readonly record: AuditRecord
  readonly result: HistoryResult
  /** Places of all its records on the page. */
  readonly places: readonly string[]
}

/**
 * Records as rows, in their order: what was announced, how it was answered and how its background work ended is one row
 * where the newest of them stands.
 *
 * @param order in which the records come
 */
export function historyRows(records: readonly AuditRecord[], order: 'newest' | 'oldest'): readonly HistoryRow[] {
  const newestFirst = order === 'newest' ? records : records.toReversed()
  const deeds = new Map<string, { rows: AuditRecord[] }>()
  const byOperation = new Map<string, { rows: AuditRecord[] }>()
  const all: { rows: AuditRecord[] }[] = []
  for (const record of newestFirst) {
    const id = record.source === 'console' ? record.req?.id : undefined
    const operation = record.source === 'console' ? record.out?.op : undefined
    const known = (id && deeds.get(id)) ?? (operation && byOperation.get(operation)) ?? undefined
    const deed = known || { rows: [] }
    deed.rows.push(record)
    if (!known) all.push(deed)
    if (id !== undefined) deeds.set(id, deed)
    if (typeof operation === 'string') byOperation.set(operation, deed)
  }
  const rows = all.flatMap(({ rows: parts }) => rowOf(parts))
  return order === 'newest' ? rows : rows.toReversed()
}

export function placeOf({ chain, seq }: Pick<AuditRecord, 'chain' | 'seq'>): string {
  return `${chain}:${seq}`
}

/** What was found out later does not say again who did it, and from where. */
function rowOf(parts: readonly AuditRecord[]): readonly HistoryRow[] {
  const [newest] = parts
  if (newest === undefined) return []
  const first = <Value>(of: (record: AuditRecord) => Value | null): Value | null =>
    parts.map(of).find((value) => value !== null) ?? null
  const record: AuditRecord = {
    ...newest,
    actor: first(({ actor }) => actor),
    object: first(({ object }) => object),
    up: first(({ up }) => up),
    src: { ip: first(({ src }) => src.ip), via: first(({ src }) => src.via) },
  }
  return [{ place: placeOf(newest), record, result: historyResult(newest), places: parts.map(placeOf) }]
}
