import type { AuditRecord } from '@malleus/shared/api/audit.ts'
import { everything } from '@malleus/shared/domain/history-filter.ts'
import { withHistoryValue } from '@malleus/shared/domain/history-filter.ts'
import type { AuditStore, StoredLine } from './audit-store.ts'
import { NoSuchRecord } from './filter-refused.ts'
import type { HistorySearch } from './history-search.ts'
import { hashOf, noHash, parseRecord, textOf } from './record.ts'
import type { VisibleHistory } from './routes.ts'

export interface ViewedRecord {
  readonly record: AuditRecord
  readonly text: string
  readonly position: number
  readonly checks: { readonly content: boolean; readonly before: boolean; readonly after: boolean | null }
  readonly parts: AuditRecord[]
  readonly around: AuditRecord[]
}

export interface RecordViewOptions {
  readonly history: Pick<AuditStore, 'find' | 'before' | 'after'>
  readonly search: Pick<HistorySearch, 'around'>
  /** Which of the records around one belong to the same deed. */
  readonly partsOf: (record: AuditRecord, near: readonly AuditRecord[]) => readonly AuditRecord[]
}

/** So many records on each side are looked at for what belongs to one. */
const NEAR = 400
/** So much of what somebody did before and after is shown. */
const AROUND = 12

/** One record with its evidence: how it is kept, whether it holds, what belongs to it, and what went on around it. */
export class RecordView {
  readonly #options: RecordViewOptions

  constructor(options: RecordViewOptions) {
    this.#options = options
  }

  /** @throws NoSuchRecord when there is none, or it is not for those who see `visible`. */
  async find(chain: string, seq: string, visible: VisibleHistory): Promise<ViewedRecord> {
    const { history, search, partsOf } = this.#options
    const line = /^\d{1,15}$/.test(seq) ? await history.find(chain, Number(seq)) : undefined
    const record = line && parseRecord(line.text)
    if (line === undefined || record === undefined || !isVisible(record, visible)) {
      throw new NoSuchRecord('There is no such record, or you may not see it.')
    }
    const { position } = line
    const [checks, before, after, around] = await Promise.all([
      this.#checksOf(line, record),
      history.before(position, NEAR),
      history.after(position, NEAR),
      this.#aroundOf(record, position, search, visible),
    ])
    const near = [...before.toReversed(), line, ...after]
      .map(({ text }) => parseRecord(text))
      .filter((other) => other !== undefined)
      .filter((other) => isVisible(other, visible))
    return { record, text: line.text, position, checks, parts: [...partsOf(record, near)], around: [...around] }
  }

  async #checksOf(line: StoredLine, record: AuditRecord): Promise<ViewedRecord['checks']> {
    const { history } = this.#options
    const { chain, seq } = line
    const [before, after] = await Promise.all([history.find(chain, seq - 1), history.find(chain, seq + 1)])
    const begins = record.seq === 0 && record.phase === 'genesis'
    return {
      content: hashOf(record) === record.hash && record.hash === line.hash && textOf(record) === line.text,
      before: begins
        ? record.prev === noHash || (await this.#isKnown(line, record.prev))
        : before !== undefined && before.hash === record.prev && contentHash(before) === before.hash,
      after: after === undefined ? null : after.prev === record.hash && parseRecord(after.text)?.prev === record.hash,
    }
  }

  /** Whether a chain that began here names a record that is there. */
  async #isKnown({ position }: StoredLine, hash: string): Promise<boolean> {
    const before = await this.#options.history.before(position, NEAR)
    return before.some((line) => line.hash === hash)
  }

  #aroundOf(record: AuditRecord, position: number, search: RecordViewOptions['search'], visible: VisibleHistory) {
    const { actor } = record
    if (actor === null || actor.name === '') return Promise.resolve([])
    const filter = withHistoryValue(everything, 'who', actor.name)
    return search
      .around(position, { filter, reads: true, ...visible }, AROUND)
      .then((all) => all.filter((other) => other.actor?.session === actor.session))
  }
}

function isVisible({ cluster }: AuditRecord, { clusters, withoutCluster }: VisibleHistory): boolean {
  return cluster === null ? withoutCluster : clusters.includes(cluster)
}

function contentHash({ text }: StoredLine): string | undefined {
  const record = parseRecord(text)
  return record && hashOf(record)
}
