import type { AccessLine } from './access-line.ts'

/** `own`: the console asked for itself. `through`: somebody asked through the console. `other`: not through it. */
export type Origin = 'own' | 'through' | 'other'

/**
 * Tells what this console asked, for itself or for people, from what came another way. Where it asks from, as members
 * see it, it learns from the lines with its own certificate, of which there are some every few seconds.
 */
export class OwnRequests {
  readonly #fingerprint: () => string | null
  readonly #addresses = new Set<string>()

  /** @param fingerprint of the console's own client certificate now, SHA-256 in lower-case hexadecimal; null without one */
  constructor(fingerprint: () => string | null) {
    this.#fingerprint = fingerprint
  }

  /** Whether it is known where this console asks from; before that a line can be taken for another's. */
  get isKnown(): boolean {
    return this.#addresses.size > 0
  }

  originOf({ kind, user, address, method, asked }: AccessLine): Origin {
    if (user?.protocol === 'tls' && user.name === this.#fingerprint()) {
      if (address !== null && this.#addresses.size < mostAddresses) this.#addresses.add(address)
      // In certificate mode people's changes carry it as well; what people read, the console records itself.
      return isRead(method) ? 'own' : 'through'
    }
    if (address === null || !this.#addresses.has(address)) return 'other'
    // The light probe, which asks without saying who it is.
    if (kind === 'open') return asked?.route === '/1.0' ? 'own' : 'other'
    if (user?.protocol === 'oidc') return isRead(method) ? 'own' : 'through'
    return 'other'
  }
}

export function isRead(method: string | null): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
}

const mostAddresses = 20
