import { Standing } from '@malleus/shared/domain/health.ts'
import type { Database } from '../database/database.ts'
import type { HealthHistoryStore } from './health-history-store.ts'

interface Tables {
  health_piece: { cluster: string; member: string; piece: number; standing: string }
}

/** The history in `malleus.db`, table `health_piece`. */
export function sqliteHealthHistoryStore(database: Database): HealthHistoryStore {
  const tables = database.tables<Tables>()
  return {
    write: async (cluster, pieces) => {
      if (pieces.length === 0) return
      await tables
        .insertInto('health_piece')
        .values(pieces.map((each) => ({ cluster, ...each })))
        .onConflict((conflict) =>
          conflict
            .columns(['cluster', 'member', 'piece'])
            .doUpdateSet((row) => ({ standing: row.ref('excluded.standing') })),
        )
        .execute()
    },
    read: async (cluster, fromPiece) => {
      const rows = await tables
        .selectFrom('health_piece')
        .select(['member', 'piece', 'standing'])
        .where('cluster', '=', cluster)
        .where('piece', '>=', fromPiece)
        .execute()
      return rows.map(({ standing, ...row }) => ({ ...row, standing: Standing.catch('unknown').parse(standing) }))
    },
    prune: async (cluster, beforePiece) => {
      await tables.deleteFrom('health_piece').where('cluster', '=', cluster).where('piece', '<', beforePiece).execute()
    },
  }
}
