import { lookup, Resolver } from 'node:dns/promises'
import type { AddressRecord } from './access-path.ts'

export interface Resolved {
  /** Sorted, so that the order that DNS turns does not look like a change. */
  readonly records: readonly AddressRecord[] | null
  /** Why there are none, as a sentence. */
  readonly failure: string | null
}

/** All A and AAAA records with their TTL; what the machine itself says where DNS knows nothing. Never rejects. */
export async function resolveName(name: string): Promise<Resolved> {
  const resolver = new Resolver({ timeout: 1_000, tries: 2 })
  const answers = await Promise.allSettled([
    resolver.resolve4(name, { ttl: true }),
    resolver.resolve6(name, { ttl: true }),
  ])
  const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
  if (found.length > 0)
    return { records: sorted(found.map(({ address, ttl }) => ({ address, ttlSeconds: ttl }))), failure: null }
  try {
    const known = await lookup(name, { all: true })
    return { records: sorted(known.map(({ address }) => ({ address, ttlSeconds: null }))), failure: null }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    return { records: null, failure: `The name has no address (${code}).` }
  }
}

function sorted(records: readonly AddressRecord[]): readonly AddressRecord[] {
  return records.toSorted((a, b) => a.address.localeCompare(b.address))
}
