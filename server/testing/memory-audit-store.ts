import { AuditRecord } from '@malleus/shared/api/audit.ts'
import type { AuditStore, ChainHead, StoredLine } from '../src/audit/audit-store.ts'
import { isQuiet, textOf } from '../src/audit/record.ts'

/** The access history in memory, which fails when it is told to. */
export class MemoryAuditStore implements AuditStore {
  readonly lines: StoredLine[] = []
  /** Called before each append; what it throws is the store's failure, what it awaits is the slowness of the disk. */
  beforeAppend: () => Promise<void> | void = () => undefined
  /** Called after each append: a failure here is one of a store that has written and could not say so. */
  afterAppend: () => Promise<void> | void = () => undefined
  beforeHead: () => void = () => undefined
  appends = 0

  async append(records: readonly AuditRecord[]): Promise<void> {
    this.appends += 1
    await this.beforeAppend()
    for (const record of records) this.lines.push(lineOf(record, this.lines.length + 1))
    await this.afterAppend()
  }

  head(chain?: string): Promise<ChainHead | null> {
    return Promise.resolve().then(() => {
      this.beforeHead()
      const line = this.lines.findLast((other) => chain === undefined || other.chain === chain)
      return line === undefined ? null : { chain: line.chain, seq: line.seq, hash: line.hash }
    })
  }

  after(position: number, limit: number): Promise<readonly StoredLine[]> {
    return Promise.resolve(this.lines.filter((line) => line.position > position).slice(0, limit))
  }

  before(position: number, limit: number): Promise<readonly StoredLine[]> {
    return Promise.resolve(
      this.lines
        .filter((line) => line.position < position)
        .toReversed()
        .slice(0, limit),
    )
  }

  at(positions: readonly number[]): Promise<readonly StoredLine[]> {
    return Promise.resolve(this.lines.filter((line) => positions.includes(line.position)))
  }

  find(chain: string, seq: number): Promise<StoredLine | undefined> {
    return Promise.resolve(this.lines.find((line) => line.chain === chain && line.seq === seq))
  }

  ofChain(chain: string, from: number, to: number): Promise<readonly StoredLine[]> {
    return Promise.resolve(this.lines.filter((line) => line.chain === chain && line.seq >= from && line.seq <= to))
  }

  get records(): readonly AuditRecord[] {
    return this.lines.map(({ text }) => AuditRecord.parse(JSON.parse(text)))
  }
}

export function lineOf(record: AuditRecord, position: number): StoredLine {
  const { chain, seq, hash, prev, ts, cluster, object } = record
  return {
    position,
    chain,
    seq,
    hash,
    prev,
    at: Date.parse(ts),
    cluster,
    object,
    quiet: isQuiet(record),
    text: textOf(record),
  }
}
