/** What is kept of one key of one person. */
export interface KeptKey {
  readonly request: Uint8Array
  readonly state: 'running' | 'done' | 'unknown'
  /** The process that took it. */
  readonly owner: string
  /** The reply, as text; null unless it is done. */
  readonly response: string | null
}

export interface KeyOfPerson {
  readonly person: Uint8Array
  readonly key: string
}

/** Where keys are kept, for all replicas. */
export interface IdempotencyStore {
  /** Takes the key for this process, unless somebody has it: then gives what is kept. */
  take(key: KeyOfPerson, request: Uint8Array, owner: string, now: number): Promise<KeptKey | 'taken'>
  /** Keeps the reply. Like the next two, it does nothing unless the owner still has the key. */
  finish(key: KeyOfPerson, owner: string, response: string): Promise<void>
  /** Nobody will know how it ended. */
  leaveUnknown(key: KeyOfPerson, owner: string): Promise<void>
  /** It certainly was not done: the key may be used again. */
  release(key: KeyOfPerson, owner: string): Promise<void>
  /** What processes that have ended were doing ended nobody knows how. */
  leaveUnknownOfOthers(owner: string): Promise<void>
  /** Forgets keys from before an instant. */
  forget(before: number): Promise<void>
}
