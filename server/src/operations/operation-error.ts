/** There is no such operation, or none that the person may see. */
export class NoSuchOperation extends Error {
  override readonly name = 'NoSuchOperation'
  readonly code = 'not_found'

  constructor() {
    super('The cluster knows no such operation, or it was forgotten before anybody with your rights saw it.')
  }
}

/** It cannot be cancelled as it is now. The message says why, for people. */
export class CannotCancel extends Error {
  override readonly name = 'CannotCancel'
  readonly code = 'not_possible'
}
