import type { AuditRecord } from '@malleus/shared/api/audit.ts'
import { joinRecords } from '@malleus/shared/domain/join-records.ts'

/** Records of the same deed among those near it, oldest first: at least the record itself. */
export function partsOf(record: AuditRecord, near: readonly AuditRecord[]): readonly AuditRecord[] {
  const isIt = (other: AuditRecord): boolean => other.chain === record.chain && other.seq === record.seq
  const story = joinRecords(near.some(isIt) ? near : [...near, record]).find(({ parts }) => parts.some(isIt))
  return story?.parts ?? [record]
}
