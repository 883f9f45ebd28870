/** How a session came to its end. */
export const endKinds = [
  /** The person signed out here. */
  'signed-out',
  /** Nobody used it for 30 minutes. */
  'idle',
  /** It reached its 10 hours. */
  'expired',
  /** The person signed in again in the same browser. */
  'renewed',
  /** The person has more than five; it was the oldest. */
  'replaced',
  /** The provider said so. */
  'ended-by-provider',
  /** An administrator said so. */
  'ended-by-admin',
  /** The provider no longer renews it. */
  'refresh-refused',
  /** The provider's answer to a renewal was lost, and asking twice is taken for theft. */
  'refresh-lost',
  /** Its access token ended and it has nothing to renew it with. */
  'token-expired',
  /** Its row does not open: it was changed. */
  'unreadable',
] as const
export type EndKind = (typeof endKinds)[number]

/** A row as it is kept. Identity and provider session are tags, the payload is sealed. */
export interface SessionRow {
  readonly key: Uint8Array
  readonly identity: Uint8Array
  readonly providerSession: Uint8Array | null
  readonly sealed: Uint8Array
  /** Counts the payloads. */
  readonly version: number
  /** Since when somebody asks the provider to renew it; null when nobody does. */
  readonly refreshStartedAt: number | null
  readonly createdAt: number
  /** When the person last was active. */
  readonly activeAt: number
  readonly expiresAt: number
}

export type NewSessionRow = Pick<
  SessionRow,
  'key' | 'identity' | 'providerSession' | 'sealed' | 'createdAt' | 'expiresAt'
>

/** All sessions of a person, or those that belong to one session at the provider; at least one is given. */
export type WhoseSessions =
  | { readonly identity: Uint8Array; readonly providerSession: null }
  | { readonly identity: Uint8Array | null; readonly providerSession: Uint8Array }

export interface PruneTimes {
  readonly now: number
  /** Sessions without activity since then end. */
  readonly idleSince: number
  /** Why sessions ended before then is forgotten. */
  readonly forgetBefore: number
}

/** What was ended, by key. */
export interface Pruned {
  readonly idle: readonly Uint8Array[]
  readonly expired: readonly Uint8Array[]
  /** How many sessions are open now. */
  readonly open: number
}

export interface Begun {
  readonly renewed: readonly Uint8Array[]
  readonly replaced: readonly Uint8Array[]
}

/** Where sessions are kept, for all replicas. Every change is durable when it resolves. */
export interface SessionStore {
  find(key: Uint8Array): Promise<SessionRow | undefined>
  /** Why a session is gone; undefined when it was never there or that was long ago. */
  endOf(key: Uint8Array): Promise<EndKind | undefined>
  /**
   * Adds a session and, in the same transaction, ends the one it takes the place of and the oldest of the identity
   * beyond `most`.
   *
   * @returns the keys of those that were ended: the one whose place it took, and the oldest.
   */
  begin(row: NewSessionRow, replaces: Uint8Array | null, most: number): Promise<Begun>
  /** Notes that the person is active; false when there is no such session. */
  touch(key: Uint8Array, now: number): Promise<boolean>
  /** Takes the right to renew; the row as it is then, or undefined when somebody else has it or the session is gone. */
  lockRefresh(key: Uint8Array, now: number): Promise<SessionRow | undefined>
  /** Keeps the renewed payload and gives the right back; false when the session is gone. */
  commitRefresh(key: Uint8Array, sealed: Uint8Array, version: number): Promise<boolean>
  /** Gives the right back without a new payload. */
  unlockRefresh(key: Uint8Array): Promise<void>
  /** Ends one; false when it was gone already. */
  end(key: Uint8Array, kind: EndKind, now: number): Promise<boolean>
  /** Ends all of somebody; gives their keys. */
  endAll(whose: WhoseSessions, kind: EndKind, now: number): Promise<readonly Uint8Array[]>
  /** Ends what is idle or too old, and forgets what nobody asks for any more. */
  prune(times: PruneTimes): Promise<Pruned>
  /** Uses something that may be used once, until an instant; false when it was used before. */
  useOnce(key: Uint8Array, until: number): Promise<boolean>
  /** Whether that was used; unlike `useOnce` it does not use it. */
  wasUsed(key: Uint8Array): Promise<boolean>
}
