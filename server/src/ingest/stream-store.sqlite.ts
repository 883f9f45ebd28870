import type { Database } from '../database/database.ts'
import type { StreamStore } from './stream-store.ts'

interface Tables {
  ingest_stream: { cluster: string; stream: string; began_at: number; seen_at: number }
  ingest_gap: { cluster: string; stream: string; from_at: number; to_at: number; reason: string }
}

/** The times in `malleus.db`. */
export function sqliteStreamStore(database: Database): StreamStore {
  const tables = database.tables<Tables>()
  return {
    streams: async (cluster) => {
      const rows = await tables.selectFrom('ingest_stream').selectAll().where('cluster', '=', cluster).execute()
      return rows.map(({ stream, began_at, seen_at }) => ({ stream, began: began_at, seen: seen_at }))
    },
    writeStreams: async (cluster, streams) => {
      if (streams.length === 0) return
      await tables
        .insertInto('ingest_stream')
        .values(streams.map(({ stream, began, seen }) => ({ cluster, stream, began_at: began, seen_at: seen })))
        .onConflict((conflict) =>
          conflict.columns(['cluster', 'stream']).doUpdateSet((row) => ({ seen_at: row.ref('excluded.seen_at') })),
        )
        .execute()
    },
    gaps: async (cluster) => {
      const rows = await tables
        .selectFrom('ingest_gap')
        .selectAll()
        .where('cluster', '=', cluster)
        .orderBy('from_at')
        .execute()
      return rows.map(({ stream, from_at, to_at, reason }) => ({ stream, from: from_at, to: to_at, reason }))
    },
    writeGap: async (cluster, { stream, from, to, reason }) => {
      await tables
        .insertInto('ingest_gap')
        .values({ cluster, stream, from_at: from, to_at: to, reason })
        .onConflict((conflict) =>
          conflict.columns(['cluster', 'stream', 'from_at']).doUpdateSet((row) => ({
            to_at: row.ref('excluded.to_at'),
            reason: row.ref('excluded.reason'),
          })),
        )
        .execute()
    },
    prune: async (cluster, before) => {
      await tables.deleteFrom('ingest_gap').where('cluster', '=', cluster).where('to_at', '<', before).execute()
    },
  }
}
