import type { AuditEntry } from '../audit/record.ts'
import { parseEntry } from '../audit/record.ts'
import type { Scope } from '../gateway/scope.ts'
import { scopeKey } from '../gateway/scope.ts'
import { tagOf } from '../lib/keys.ts'
import { KeptOperations } from '../operations/kept-operations.ts'
import { LostOperations } from '../operations/lost-operations.ts'
import { SqliteOperationStore } from '../operations/operation-store.sqlite.ts'
import type { Starters } from '../operations/starters.ts'
import type { Tools } from './cluster-parts.ts'
import { recordEnd } from './record-end.ts'
import type { Storage } from './storage.ts'

/** What all authorities share of one cluster's background work. */
export interface ClusterWork {
  readonly kept: KeptOperations
  readonly lost: LostOperations
  /** Under which name it is kept who saw something; the database does not say who it is. */
  authorityOf(scope: Scope): string
}

export interface AllWork {
  of(cluster: string): ClusterWork
  /** Writes what is not written yet. */
  close(): Promise<void>
}

/** Takes up what an earlier start knew of each cluster's work, and who had begun it here. */
export async function openClusterWork(
  clusters: readonly string[],
  { database, keys, history }: Pick<Storage, 'database' | 'keys' | 'history'>,
  starters: Starters<AuditEntry>,
  tools: Tools,
): Promise<AllWork> {
  const store = new SqliteOperationStore(database)
  const all = new Map<string, ClusterWork>()
  for (const cluster of clusters) {
    const kept = new KeptOperations({ cluster, store, ...tools })
    for (const { operation, begun } of await kept.open()) {
      const entry = parseEntry(begun)
      if (entry !== undefined && operation.startedBy !== null) {
        starters.resume(operation, { name: operation.startedBy.name, entry })
      }
    }
    kept.subscribe((operation) => recordEnd(operation, starters, history, tools.logger))
    all.set(cluster, {
      kept,
      lost: new LostOperations(tools),
      authorityOf: (scope) => tagOf(keys.hmac, 'operations seen by', scopeKey(scope)).toString('hex'),
    })
  }
  return {
    of: (cluster) => {
      const work = all.get(cluster)
      if (work === undefined) throw new TypeError(`there is no cluster "${cluster}"`)
      return work
    },
    close: async () => {
      for (const { kept, lost } of all.values()) {
        lost.stop()
        await kept.stop()
      }
    },
  }
}
