/** What is to be changed cannot be, as things are. The message says why, for people. */
export class CannotChange extends Error {
  override readonly name = 'CannotChange'
  readonly code = 'not_possible'
}

/** Somebody changed a setting after it was shown. */
export class ChangedMeanwhile extends Error {
  override readonly name = 'ChangedMeanwhile'
  readonly code = 'precondition_failed'

  constructor(key: string) {
    super(`${key} was changed by somebody else in the meantime. Look at it again before you change it.`)
  }
}

/** Incus refused a change and has other settings now than before: what must not happen, and is told when it does. */
export class SettingsLost extends Error {
  override readonly name = 'SettingsLost'
  readonly code = 'cluster_failed'
  readonly keys: readonly string[]

  constructor(keys: readonly string[], cause: unknown) {
    super(`Incus refused the change, and these settings are not what they were: ${keys.join(', ')}.`, { cause })
    this.keys = keys
  }
}
