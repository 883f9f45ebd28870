/** There is no such entry or token, or none that the person may see. */
export class NoSuchEntry extends Error {
  override readonly name = 'NoSuchEntry'
  readonly code = 'not_found'

  constructor(what = 'The cluster trusts no such client') {
    super(`${what}, or you may not see it.`)
  }
}

/** It cannot be done to it as it is now. The message says why, for people. */
export class CannotChangeTrust extends Error {
  override readonly name = 'CannotChangeTrust'
  readonly code = 'not_possible'
}

/** Somebody has changed it since it was read. */
export class ChangedMeanwhile extends Error {
  override readonly name = 'ChangedMeanwhile'
  readonly code = 'precondition_failed'

  constructor() {
    super('Somebody has changed it meanwhile. What you see is old; look at it again.')
  }
}
