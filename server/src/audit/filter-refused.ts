/** A question to the history that is not understood, or asks for too much. The message is for the person who asked. */
export class FilterRefused extends Error {
  override readonly name = 'FilterRefused'
  readonly code = 'bad_query'
}

/** There is no such record, or it is not for who asked. */
export class NoSuchRecord extends Error {
  override readonly name = 'NoSuchRecord'
  readonly code = 'not_found'
}
