/** A token that was made through this console. */
export interface GivenToken {
  readonly cluster: string
  /** Of the token. */
  readonly operation: string
  /** What its client was to be called. */
  readonly name: string
  /** The server in whose memory it is; null where that is not known. */
  readonly member: string | null
  /** The name of who made it. */
  readonly madeBy: string
  /** Wall clock, milliseconds, like the next. */
  readonly madeAt: number
  /** When this console promised to withdraw it; null where it did not. */
  readonly withdrawAt: number | null
}

/** Promises outlive the process that made them. */
export interface GivenTokenStore {
  all(cluster: string): Promise<readonly GivenToken[]>
  keep(token: GivenToken): Promise<void>
  forget(cluster: string, operation: string): Promise<void>
}
