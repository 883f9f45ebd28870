import type { Database } from '../database/database.ts'
import type { KeptPiece, ProbeHistoryStore } from './probe-history-store.ts'
import { ProbePiece } from './probe-piece.ts'

interface Tables {
  probe_piece: { cluster: string; piece_ms: number; member: string; at: number; measured: Uint8Array }
}

/** Far below the number of values that SQLite takes in one statement. */
const rowsInOne = 500

/** The record of probes in `malleus.db`, table `probe_piece`. */
export function sqliteProbeHistoryStore(database: Database): ProbeHistoryStore {
  const tables = database.tables<Tables>()
  const pieces = (cluster: string, pieceMs: number) =>
    tables
      .selectFrom('probe_piece')
      .select(['member', 'at', 'measured'])
      .where('cluster', '=', cluster)
      .where('piece_ms', '=', pieceMs)
  const insert = (cluster: string, kept: readonly KeptPiece[]) =>
    tables
      .insertInto('probe_piece')
      .values(
        kept.map(({ member, pieceMs, at, piece }) => ({
          cluster,
          piece_ms: pieceMs,
          member,
          at,
          measured: piece.toBytes(),
        })),
      )
      .onConflict((conflict) =>
        conflict
          .columns(['cluster', 'piece_ms', 'member', 'at'])
          .doUpdateSet((row) => ({ measured: row.ref('excluded.measured') })),
      )
  return {
    write: async (cluster, kept) => {
      const inserts = Array.from({ length: Math.ceil(kept.length / rowsInOne) }, (_, n) =>
        insert(cluster, kept.slice(n * rowsInOne, (n + 1) * rowsInOne)),
      )
      if (inserts.length > 0) await database.atomically(inserts)
    },
    read: async (cluster, pieceMs, member, from) => {
      const rows = await pieces(cluster, pieceMs)
        .where('member', '=', member)
        .where('at', '>=', from)
        .orderBy('at')
        .execute()
      return rows.flatMap((row) => keptOf(pieceMs, row))
    },
    readAt: async (cluster, pieceMs, at) => {
      const rows = await pieces(cluster, pieceMs).where('at', '=', at).execute()
      return rows.flatMap((row) => keptOf(pieceMs, row))
    },
    prune: async (cluster, pieceMs, before) => {
      await tables
        .deleteFrom('probe_piece')
        .where('cluster', '=', cluster)
        .where('piece_ms', '=', pieceMs)
        .where('at', '<', before)
        .execute()
    },
  }
}

/** A row that cannot be read is one piece less, not a record less. */
function keptOf(pieceMs: number, row: Omit<Tables['probe_piece'], 'cluster' | 'piece_ms'>): KeptPiece[] {
  try {
    return [{ member: row.member, pieceMs, at: row.at, piece: ProbePiece.fromBytes(row.measured) }]
  } catch {
    return []
  }
}
