/** Nothing can be recorded now, so nothing is done: what cannot be recorded is refused. */
export class AuditUnavailable extends Error {
  override readonly name = 'AuditUnavailable'
  readonly code = 'audit_unavailable'
}
