import type { AuditRecord } from '@malleus/shared/api/audit.ts'
import { joinRecords } from '@malleus/shared/domain/join-records.ts'

/** Records of the same deed, oldest first; at least the record itself. */
export function partsOf(record: AuditRecord, near: readonly AuditRecord[]): readonly AuditRecord[] {
  const isIt = ({ chain, seq }: AuditRecord): boolean => chain === record.chain && seq === record.seq
  return joinRecords(near).find(({ parts }) => parts.some(isIt))?.parts ?? [record]
}
