import type { Database } from '../database/database.ts'
import type { WatchedTimesStore } from './watched-times-store.ts'

interface Tables {
  watched_time: { cluster: string; began_at: number; seen_at: number }
}

/** The times in `malleus.db`, table `watched_time`. */
export function sqliteWatchedTimesStore(database: Database): WatchedTimesStore {
  const tables = database.tables<Tables>()
  return {
    read: async (cluster) => {
      const rows = await tables
        .selectFrom('watched_time')
        .select(['began_at', 'seen_at'])
        .where('cluster', '=', cluster)
        .orderBy('began_at')
        .execute()
      return rows.map((row) => ({ from: row.began_at, to: row.seen_at }))
    },
    write: async (cluster, { from, to }) => {
      await tables
        .insertInto('watched_time')
        .values({ cluster, began_at: from, seen_at: to })
        .onConflict((conflict) =>
          conflict.columns(['cluster', 'began_at']).doUpdateSet((row) => ({ seen_at: row.ref('excluded.seen_at') })),
        )
        .execute()
    },
    prune: async (cluster, before) => {
      await tables.deleteFrom('watched_time').where('cluster', '=', cluster).where('seen_at', '<', before).execute()
    },
  }
}
