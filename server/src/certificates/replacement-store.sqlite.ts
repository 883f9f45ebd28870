import type { Database } from '../database/database.ts'
import { KeptChange } from './drift.ts'
import type { ReplacementStore } from './replacement-store.ts'
import { KeptReplacement } from './replacement.ts'

interface Tables {
  certificate_replacement: { cluster: string; id: string; started_at: number; ended: number; replacement: string }
  certificate_change: { cluster: string; at: number; fingerprint: string; change: string }
}

/** In `malleus.db`, tables `certificate_replacement` and `certificate_change`. */
export function sqliteReplacementStore(database: Database): ReplacementStore {
  const tables = database.tables<Tables>()
  return {
    latest: async (cluster) => {
      const row = await tables
        .selectFrom('certificate_replacement')
        .select('replacement')
        .where('cluster', '=', cluster)
        .orderBy('started_at', 'desc')
        .limit(1)
        .executeTakeFirst()
      return row === undefined ? null : KeptReplacement.parse(JSON.parse(row.replacement))
    },
    write: async (cluster, replacement) => {
      const { id, startedAt, endedAt } = replacement
      const state = { ended: Number(endedAt !== null), replacement: JSON.stringify(replacement) }
      await tables
        .insertInto('certificate_replacement')
        .values({ cluster, id, started_at: Date.parse(startedAt), ...state })
        .onConflict((conflict) => conflict.columns(['cluster', 'id']).doUpdateSet(state))
        .execute()
    },
    changes: async (cluster, most) => {
      const rows = await tables
        .selectFrom('certificate_change')
        .select('change')
        .where('cluster', '=', cluster)
        .orderBy('at', 'desc')
        .limit(most)
        .execute()
      return rows.map(({ change }) => KeptChange.parse(JSON.parse(change)))
    },
    addChange: async (cluster, change) => {
      const row = { fingerprint: change.fingerprint, change: JSON.stringify(change) }
      await tables
        .insertInto('certificate_change')
        .values({ cluster, at: change.at, ...row })
        .onConflict((conflict) => conflict.columns(['cluster', 'at']).doUpdateSet(row))
        .execute()
    },
  }
}
