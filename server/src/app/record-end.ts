import type { Operation } from '@malleus/shared/api/operations.ts'
import { isFinished } from '@malleus/shared/api/operations.ts'
import type { AuditLog } from '../audit/audit-log.ts'
import type { AuditEntry } from '../audit/record.ts'
import type { Logger } from '../lib/logger.ts'
import type { Starters } from '../operations/starters.ts'

/**
 * Writes down how work ended that somebody began here, once, whoever saw it first and whether or not they still look.
 */
export function recordEnd(
  operation: Operation,
  starters: Starters<AuditEntry>,
  history: Pick<AuditLog, 'record'>,
  logger: Logger,
): void {
  if (!isFinished(operation) || operation.looking) return
  const begun = starters.end(operation.id)
  if (begun === undefined) return
  const out = {
    status: null,
    op: operation.id,
    opStatus: endOf(operation),
    bytes: null,
    ms:
      operation.endedAt === null ? null : Math.max(0, Date.parse(operation.endedAt) - Date.parse(operation.createdAt)),
    code: operation.status === 'failure' ? 'cluster_failed' : null,
  }
  try {
    history.record({ ...begun.entry, out })
  } catch (error) {
    logger.error({ err: error, operation: operation.id }, 'the end of an operation is missing in the access history')
  }
}

/** Of what nobody saw the end, what was found out; in the words for changes whose answer was lost. */
function endOf({ status, found }: Operation): string {
  if (status !== 'unknown' || found === null) return status
  return found === 'done' ? 'confirmed' : 'not-applied'
}
