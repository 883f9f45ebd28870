import type { AuditRecord } from '@malleus/shared/api/audit.ts'

/** Records of the same deed, oldest first: the same request, or the operation that it began. */
export function partsOf(record: AuditRecord, near: readonly AuditRecord[]): readonly AuditRecord[] {
  const requests = new Set(record.req === null ? [] : [record.req.id])
  const operations = new Set(record.out?.op === null || record.out === null ? [] : [record.out.op])
  const isPart = ({ req, out }: AuditRecord): boolean =>
    (req !== null && requests.has(req.id)) || (out !== null && out.op !== null && operations.has(out.op))
  for (const other of near) {
    if (!isPart(other)) continue
    if (other.req !== null) requests.add(other.req.id)
    if (other.out?.op !== null && other.out !== null) operations.add(other.out.op)
  }
  return near.filter((other) => isPart(other) || (other.chain === record.chain && other.seq === record.seq))
}
