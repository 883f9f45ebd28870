/** The key was used before, for something else. */
export class IdempotencyKeyReused extends Error {
  override readonly name = 'IdempotencyKeyReused'
  readonly code = 'idempotency_key_reused'
}

/** What was asked with this key is being done now. */
export class AlreadyRunning extends Error {
  override readonly name = 'AlreadyRunning'
  readonly code = 'already_running'
}

/** What was asked with this key was sent before and never answered, so it is not sent again. */
export class OutcomeStillUnknown extends Error {
  override readonly name = 'OutcomeStillUnknown'
  readonly code = 'outcome_unknown'
}
