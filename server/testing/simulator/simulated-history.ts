import type { AuditRecord } from '@malleus/shared/api/audit.ts'
import type { AuditStore, ChainHead, StoredLine } from '../../src/audit/audit-store.ts'
import { lineOf } from '../memory-audit-store.ts'
import type { SimulatedDisk } from './simulated-disk.ts'

/** The access history on a simulated disk: what is written outlives the console that wrote it. */
export class SimulatedHistory {
  readonly #disk: SimulatedDisk
  readonly #records: AuditRecord[] = []
  readonly #intents = new Set<string>()

  constructor(disk: SimulatedDisk) {
    this.#disk = disk
  }

  /** Whether the announcement of a request is written. */
  hasIntent(request: string): boolean {
    return this.#intents.has(request)
  }

  get lines(): readonly StoredLine[] {
    return this.#records.map((record, at) => lineOf(record, at + 1))
  }

  /** As one process sees it. */
  storeFor(isWanted: () => boolean): AuditStore {
    const disk = this.#disk
    const records = this.#records
    return {
      append: (added) =>
        disk.write(isWanted, () => {
          for (const record of added) {
            records.push(record)
            if (record.phase === 'intent') this.#intents.add(record.req?.id ?? '')
          }
        }),
      head: (chain) =>
        disk.write(isWanted, (): ChainHead | null => {
          const record = records.findLast((other) => chain === undefined || other.chain === chain)
          return record === undefined ? null : { chain: record.chain, seq: record.seq, hash: record.hash }
        }),
      after: (position, limit) => Promise.resolve(this.lines.slice(position, position + limit)),
      before: (position, limit) =>
        Promise.resolve(
          this.lines
            .slice(0, position - 1)
            .toReversed()
            .slice(0, limit),
        ),
      at: (positions) => Promise.resolve(this.lines.filter(({ position }) => positions.includes(position))),
      ofChain: (chain, from, to) =>
        Promise.resolve(this.lines.filter((line) => line.chain === chain && line.seq >= from && line.seq <= to)),
      find: (chain, seq) => Promise.resolve(this.lines.find((line) => line.chain === chain && line.seq === seq)),
    }
  }
}
