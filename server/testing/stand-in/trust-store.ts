import { fingerprintOf } from '../certificate-authority.ts'

export interface TrustEntry {
  fingerprint: string
  name: string
  type: 'client' | 'metrics' | 'server'
  restricted: boolean
  projects: readonly string[]
  /** PEM */
  certificate: string
  description: string
}

/** What a trust token says, before it is written as base64 of JSON. */
export interface TrustToken {
  client_name: string
  fingerprint: string
  addresses: readonly string[]
  secret: string
  expires_at: string
}

/** Certificates the cluster trusts, on all members at once. */
export class TrustStore {
  readonly #entries = new Map<string, TrustEntry>()

  add(entry: Omit<TrustEntry, 'fingerprint' | 'description'>): TrustEntry {
    const added = { ...entry, fingerprint: fingerprintOf(entry.certificate), description: '' }
    this.#entries.set(added.fingerprint, added)
    return added
  }

  find(fingerprint: string): TrustEntry | undefined {
    return this.#entries.get(fingerprint)
  }

  remove(fingerprint: string): boolean {
    return this.#entries.delete(fingerprint)
  }

  all(): TrustEntry[] {
    return [...this.#entries.values()]
  }
}

/** The one line `incus config trust add` prints. */
export function encodeTrustToken(token: TrustToken): string {
  return Buffer.from(JSON.stringify(token)).toString('base64')
}

/** Nothing when it is not a token at all. */
export function secretOfTrustToken(text: string): string | undefined {
  try {
    const token: unknown = JSON.parse(Buffer.from(text, 'base64').toString())
    if (typeof token !== 'object' || token === null || !('secret' in token)) return undefined
    return typeof token.secret === 'string' ? token.secret : undefined
  } catch {
    return undefined
  }
}
