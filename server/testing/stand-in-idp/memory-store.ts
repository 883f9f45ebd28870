import type { Adapter, AdapterPayload } from 'oidc-provider'

interface Entry {
  payload: AdapterPayload
  expiresAt: number
}

/**
 * Everything one provider remembers. The library's own memory adapter keeps a thousand things at most and forgets the
 * oldest, which under load would end sessions for no reason.
 */
export class MemoryStore {
  readonly #entries = new Map<string, Entry>()

  /** The part of the store for one kind of thing ("Session", "RefreshToken", …), as oidc-provider asks for it. */
  adapter(kind: string): Adapter {
    const key = (id: string): string => `${kind}:${id}`
    const findBy = async (property: 'uid' | 'userCode', value: string): Promise<AdapterPayload | undefined> =>
      this.all(kind).find((payload) => payload[property] === value)

    return {
      upsert: async (id, payload, expiresIn) => {
        const expiresAt = expiresIn === undefined ? Infinity : Date.now() + expiresIn * 1000
        this.#entries.set(key(id), { payload, expiresAt })
      },
      find: async (id) => this.#current(key(id)),
      findByUid: (uid) => findBy('uid', uid),
      findByUserCode: (userCode) => findBy('userCode', userCode),
      consume: async (id) => {
        const payload = this.#current(key(id))
        if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000)
      },
      destroy: async (id) => {
        this.#entries.delete(key(id))
      },
      revokeByGrantId: async (grantId) => this.forgetGrant(grantId),
    }
  }

  /** What is remembered of one kind and has not expired. */
  all(kind: string): AdapterPayload[] {
    return [...this.#entries.keys()]
      .filter((key) => key.startsWith(`${kind}:`))
      .map((key) => this.#current(key))
      .filter((payload) => payload !== undefined)
  }

  /** Codes and tokens of a grant stop working at once. */
  forgetGrant(grantId: string): void {
    for (const [key, { payload }] of this.#entries) {
      if (payload.grantId === grantId) this.#entries.delete(key)
    }
  }

  #current(key: string): AdapterPayload | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    if (entry.expiresAt > Date.now()) return entry.payload
    this.#entries.delete(key)
    return undefined
  }
}
