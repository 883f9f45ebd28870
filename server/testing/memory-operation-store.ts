import { isFinished } from '@malleus/shared/api/operations.ts'
import type { OperationChange, OperationStore, Sight } from '../src/operations/operation-store.ts'

/** Keeps operations for as long as it exists, by the same rules as the database. */
export class MemoryOperationStore implements OperationStore {
  readonly #changes = new Map<string, OperationChange>()
  readonly #sights = new Map<string, Sight>()
  /** How often it was written to. */
  writes = 0
  /** What was to be forgotten, each time. */
  readonly prunes: Parameters<OperationStore['prune']>[1][] = []
  /** Set: it cannot be written to. */
  broken = false

  write(_cluster: string, changes: readonly OperationChange[], sights: readonly Sight[]): Promise<void> {
    if (this.broken) return Promise.reject(new Error('The disk is full'))
    this.writes += 1
    for (const change of changes) this.#changes.set(change.operation.id, change)
    for (const sight of sights) {
      const key = `${sight.authority} ${sight.id}`
      if (!this.#sights.has(key)) this.#sights.set(key, sight)
    }
    return Promise.resolve()
  }

  open(_cluster: string, endedSince: number): ReturnType<OperationStore['open']> {
    if (this.broken) return Promise.reject(new Error('The disk is full'))
    const rows = [...this.#changes.values()].filter(
      ({ operation }) => !isFinished(operation) || operation.looking || Date.parse(operation.heardAt) >= endedSince,
    )
    const revisions = [...this.#changes.values(), ...this.#sights.values()].map(({ revision }) => revision)
    return Promise.resolve({ rows, sights: [...this.#sights.values()], revision: Math.max(0, ...revisions) })
  }

  piece(_cluster: string, authority: string, since: number, most: number): ReturnType<OperationStore['piece']> {
    const all = [...this.#changes.values()]
      .flatMap(({ operation, revision }) => {
        const sight = this.#sights.get(`${authority} ${operation.id}`)
        return sight === undefined ? [] : [{ operation, revision: Math.max(revision, sight.revision) }]
      })
      .filter(({ revision }) => revision > since)
      .toSorted((a, b) => a.revision - b.revision)
    const piece = all.slice(0, most)
    return Promise.resolve({
      operations: piece.map(({ operation }) => operation),
      revision: piece.at(-1)?.revision ?? since,
      more: all.length > most,
    })
  }

  one(_cluster: string, authority: string, id: string): ReturnType<OperationStore['one']> {
    return Promise.resolve(this.#sights.has(`${authority} ${id}`) ? (this.#changes.get(id) ?? null) : null)
  }

  prune(...[, keep]: Parameters<OperationStore['prune']>): Promise<void> {
    this.prunes.push(keep)
    return Promise.resolve()
  }
}
