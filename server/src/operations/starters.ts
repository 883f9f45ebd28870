import type { Operation } from '@malleus/shared/api/operations.ts'
import { LRUCache } from 'lru-cache'

/** Who began an operation through this console. Incus keeps no name with an operation, so others have none. */
export class Starters {
  readonly #names = new LRUCache<string, string>({ max: 10_000 })

  note(operationId: string, name: string): void {
    this.#names.set(operationId, name)
  }

  of(operationId: string): Operation['startedBy'] {
    const name = this.#names.get(operationId)
    return name === undefined ? null : { name, here: true }
  }
}
