/** The certificate, its key or its pins cannot be changed so. The message says why, for people, and quotes no key. */
export class CannotReplace extends Error {
  override readonly name = 'CannotReplace'
  readonly code = 'not_possible'
}
