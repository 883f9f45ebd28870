import type { Attestation } from './attestation.ts'

/** What is known of a history beside what it says itself: ends of chains that were signed, and what was pruned. */
export interface Evidence {
  readonly chains: ReadonlyMap<string, ChainEvidence>
  /** Whether checkpoints cover all chains, so that what they do not know and others stand behind was put in later. */
  readonly covered: boolean
  /** Whether a record with this hash was the last of a pruned run. */
  wasPruned(hash: string): boolean
}

export interface ChainEvidence {
  /** Hashes of records, by their place. */
  readonly hashes: ReadonlyMap<number, string>
  /** The furthest end that was signed. */
  readonly last: { readonly seq: number; readonly hash: string } | undefined
  /** What was pruned, by where it begins. */
  readonly runs: ReadonlyMap<number, { readonly to: number; readonly hash: string }>
}

export const noEvidence: Evidence = { chains: new Map(), covered: false, wasPruned: () => false }

/** Gathers evidence from several sources: the attestations of the database, copies of them, and exported records. */
export class EvidenceBook implements Evidence {
  readonly chains = new Map<
    string,
    {
      hashes: Map<number, string>
      last: { seq: number; hash: string } | undefined
      runs: Map<number, { to: number; hash: string }>
    }
  >()
  readonly #pruned = new Set<string>()
  covered = false

  take(said: Attestation): void {
    if (said.kind === 'tombstone') {
      for (const { chain, from, to, hash } of said.runs) {
        this.#of(chain).runs.set(from, { to, hash })
        this.#pruned.add(hash)
      }
      return
    }
    this.covered = true
    for (const { chain, seq, hash } of said.heads) this.takeHead(chain, seq, hash)
  }

  /** A record that is known to have been written. */
  takeHead(chain: string, seq: number, hash: string): void {
    const known = this.#of(chain)
    known.hashes.set(seq, hash)
    if (seq >= (known.last?.seq ?? -1)) known.last = { seq, hash }
  }

  wasPruned(hash: string): boolean {
    return this.#pruned.has(hash)
  }

  #of(chain: string) {
    const known = this.chains.get(chain) ?? { hashes: new Map(), last: undefined, runs: new Map() }
    this.chains.set(chain, known)
    return known
  }
}
