import type { AttestationStore, StoredAttestation } from '../src/audit/attestation-store.ts'
import type { ChainHead } from '../src/audit/audit-store.ts'
import type { MemoryAuditStore } from './memory-audit-store.ts'

/** Attestations in memory, beside records in memory; fails when it is told to. */
export class MemoryAttestationStore implements AttestationStore {
  readonly lines: StoredAttestation[] = []
  /** Called before each append; what it throws is the store's failure. */
  beforeAppend: () => void = () => undefined
  readonly #records: MemoryAuditStore

  constructor(records: MemoryAuditStore) {
    this.#records = records
  }

  append(attestation: StoredAttestation): Promise<boolean> {
    return Promise.resolve().then(() => {
      this.beforeAppend()
      if (this.lines.some(({ number }) => number === attestation.number)) return false
      this.lines.push(attestation)
      return true
    })
  }

  async bury(tombstone: StoredAttestation, positions: readonly number[]): Promise<boolean> {
    if (!(await this.append(tombstone))) return false
    const gone = new Set(positions)
    this.#records.lines.splice(
      0,
      this.#records.lines.length,
      ...this.#records.lines.filter(({ position }) => !gone.has(position)),
    )
    return true
  }

  last(): Promise<StoredAttestation | null> {
    return Promise.resolve(this.lines.at(-1) ?? null)
  }

  after(number: number, limit: number): Promise<readonly StoredAttestation[]> {
    return Promise.resolve(this.lines.filter((line) => line.number > number).slice(0, limit))
  }

  heads(): Promise<readonly ChainHead[]> {
    const heads = new Map<string, ChainHead>()
    for (const { chain, seq, hash } of this.#records.lines) heads.set(chain, { chain, seq, hash })
    return Promise.resolve([...heads.values()])
  }
}
