/** What can be told of a session without the cookie that opens it. */
export interface ListedRow {
  readonly key: Uint8Array
  readonly createdAt: number
  readonly activeAt: number
  readonly expiresAt: number
  /** Sealed with the server key; null when nothing was noted. */
  readonly sealed: Uint8Array | null
}

/** Where it is kept who is signed in where, beside the sessions themselves. */
export interface SessionListStore {
  /** Notes it of a session, and forgets what was noted of sessions that are gone. */
  note(key: Uint8Array, sealed: Uint8Array): Promise<void>
  /** Those of one person by their tag, or all, that were used since; the newest first. */
  list(identity: Uint8Array | null, usedSince: number): Promise<readonly ListedRow[]>
}
