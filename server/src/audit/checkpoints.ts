import type { KeyObject } from 'node:crypto'
import type { AuditRecord } from '@malleus/shared/api/audit.ts'
import type { Clock } from '../lib/clock.ts'
import { instant } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import { attest, leafOf, parseAttestation } from './attestation.ts'
import type { AttestationStore } from './attestation-store.ts'
import type { ChainHead } from './audit-store.ts'
import { MerkleTree } from './merkle.ts'

export interface CheckpointsOptions {
  readonly store: AttestationStore
  readonly signing: KeyObject
  /** Hears of each record once it is durable. */
  readonly history: { subscribe(listener: (record: AuditRecord) => void): () => void }
  readonly clock: Clock
  readonly logger: Logger
  /** The longest a record waits for its checkpoint. Default 60 s. */
  readonly everyMs?: number
  /** Records after which a checkpoint is due before that. Default 1000. */
  readonly everyRecords?: number
}

const PAGE = 1000
const MOST_TRIES = 5

/**
 * Signs the ends of all chains, 60 s or 1,000 records after the last time, when there is anything new. Who would change
 * the history without the key can change what is younger than the last checkpoint that left the console, and no more.
 */
export class Checkpoints {
  readonly #options: Required<CheckpointsOptions>
  #known = new KnownHeads()
  readonly #whenSigned = new Set<() => void>()
  #readUpTo = 0
  #records = 0
  #cancelDue: (() => void) | undefined
  #ends: (() => void) | undefined
  #signing: Promise<void> | undefined

  constructor(options: CheckpointsOptions) {
    this.#options = { everyMs: 60_000, everyRecords: 1000, ...options }
  }

  /** Begins to listen; what was written before is signed with the first new record. */
  start(): void {
    this.#ends ??= this.#options.history.subscribe(() => this.#recorded())
    this.#recorded()
  }

  /** Signs what is not signed yet. */
  async stop(): Promise<void> {
    this.#ends?.()
    this.#cancelDue?.()
    await this.#signing
    await this.sign()
  }

  /** Calls back after each checkpoint. */
  onSigned(listener: () => void): void {
    this.#whenSigned.add(listener)
  }

  /** Writes a checkpoint if a chain has grown since the last one. Never rejects: what fails is tried again when it is due. */
  sign(): Promise<void> {
    this.#signing ??= this.#sign().finally(() => (this.#signing = undefined))
    return this.#signing
  }

  #recorded(): void {
    const { clock, everyMs, everyRecords } = this.#options
    this.#records += 1
    if (this.#records >= everyRecords) void this.sign()
    this.#cancelDue ??= clock.after(everyMs, () => void this.sign())
  }

  async #sign(): Promise<void> {
    const { store, signing, clock, logger } = this.#options
    this.#records = 0
    this.#cancelDue?.()
    this.#cancelDue = undefined
    try {
      // Another process may sign too: whoever comes second reads what the first has said, and says what is left.
      for (let written = false, tries = 0; !written && tries < MOST_TRIES; tries += 1) {
        await this.#readOthers()
        const grown = this.#known.grown(await store.heads())
        if (grown.length === 0) return
        this.#known.take(grown)
        const claim = { kind: 'checkpoint' as const, heads: [...grown], ...this.#known.seal }
        const said = attest(claim, await store.last(), instant(clock.now()), signing)
        written = await store.append(said)
        if (written) this.#readUpTo = said.number
        else this.#forget()
      }
      for (const listener of this.#whenSigned) listener()
    } catch (error) {
      this.#forget()
      logger.warn({ err: error }, 'The ends of the access history could not be signed')
      this.#cancelDue ??= clock.after(this.#options.everyMs, () => void this.sign())
    }
  }

  /** It is not known what is written; the next time begins with reading it. */
  #forget(): void {
    this.#known = new KnownHeads()
    this.#readUpTo = 0
  }

  async #readOthers(): Promise<void> {
    for (;;) {
      const lines = await this.#options.store.after(this.#readUpTo, PAGE)
      for (const { number, text } of lines) {
        const said = parseAttestation(text)
        if (said?.kind === 'checkpoint') this.#known.take(said.heads)
        this.#readUpTo = number
      }
      if (lines.length < PAGE) return
    }
  }
}

/** The heads that checkpoints have named, in the order of their first mention, under their Merkle root. */
export class KnownHeads {
  readonly #tree = new MerkleTree()
  readonly #places = new Map<string, number>()
  readonly #heads = new Map<string, ChainHead>()

  /** As a checkpoint says it. */
  take(heads: readonly ChainHead[]): void {
    for (const head of heads) {
      const place = this.#places.get(head.chain) ?? this.#places.size
      this.#places.set(head.chain, place)
      this.#heads.set(head.chain, head)
      this.#tree.set(place, leafOf(head))
    }
  }

  /** Those that go further than what is known; an end that has come nearer was cut off, and is not signed. */
  grown(heads: readonly ChainHead[]): readonly ChainHead[] {
    return heads.filter(({ chain, seq }) => seq > (this.#heads.get(chain)?.seq ?? -1))
  }

  get(chain: string): ChainHead | undefined {
    return this.#heads.get(chain)
  }

  /** What a checkpoint says of all of them together. */
  get seal(): { readonly chains: number; readonly root: string } {
    return { chains: this.#tree.size, root: this.#tree.root }
  }
}
