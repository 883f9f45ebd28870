/** There is no such object, or none that the person may see. The message is for people. */
export class NotFound extends Error {
  override readonly name = 'NotFound'
  readonly code = 'not_found'

  constructor(kind: string, name: string) {
    super(`There is no ${kind} called ${name}.`)
  }
}

/** It exists, and what was asked cannot be done with it as it is now. The message says why, for people. */
export class NotPossible extends Error {
  override readonly name = 'NotPossible'
  readonly code = 'not_possible'
}
