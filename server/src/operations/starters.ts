import type { Operation } from '@malleus/shared/api/operations.ts'
import { isFinished } from '@malleus/shared/api/operations.ts'
import { LRUCache } from 'lru-cache'

/** Who began an operation through this console, and as what; `entry` is what the history keeps of it. */
export interface Begun<Entry> {
  readonly name: string
  readonly entry: Entry
}

/** What was begun through this console. Incus keeps no name with an operation, so others have none. */
export class Starters<Entry = unknown> {
  readonly #begun = new LRUCache<string, Begun<Entry>>({ max: 10_000 })
  readonly #ended = new LRUCache<string, true>({ max: 10_000 })

  note(operationId: string, begun: Begun<Entry>): void {
    this.#begun.set(operationId, begun)
  }

  /** What was begun before this process; the end of what has one is recorded already. */
  resume(operation: Pick<Operation, 'id' | 'status' | 'looking'>, begun: Begun<Entry>): void {
    this.note(operation.id, begun)
    if (isFinished(operation) && !operation.looking) this.#ended.set(operation.id, true)
  }

  of(operationId: string): Operation['startedBy'] {
    const begun = this.#begun.get(operationId)
    return begun === undefined ? null : { name: begun.name, here: true }
  }

  /** Who began what has just ended; only the first time, however many saw its end. */
  end(operationId: string): Begun<Entry> | undefined {
    const begun = this.#begun.get(operationId)
    if (begun === undefined || this.#ended.has(operationId)) return undefined
    this.#ended.set(operationId, true)
    return begun
  }
}
