import { PreparedKey } from '@malleus/shared/api/certificate-replacement.ts'
import type { Database } from '../database/database.ts'
import type { PreparedKeyStore } from './prepared-key-store.ts'

interface Tables {
  prepared_key: { cluster: string; id: string; made_at: number; prepared: string; sealed: Uint8Array }
}

/** Keys that wait in `malleus.db`, table `prepared_key`. */
export function sqlitePreparedKeyStore(database: Database): PreparedKeyStore {
  const tables = database.tables<Tables>()
  return {
    list: async (cluster) => {
      const rows = await tables
        .selectFrom('prepared_key')
        .select('prepared')
        .where('cluster', '=', cluster)
        .orderBy('made_at')
        .execute()
      return rows.map(({ prepared }) => PreparedKey.parse(JSON.parse(prepared)))
    },
    sealed: async (cluster, id) => {
      const row = await tables
        .selectFrom('prepared_key')
        .select('sealed')
        .where('cluster', '=', cluster)
        .where('id', '=', id)
        .executeTakeFirst()
      return row?.sealed
    },
    add: async (cluster, prepared, sealed) => {
      const { id, madeAt } = prepared
      const row = { cluster, id, made_at: Date.parse(madeAt), prepared: JSON.stringify(prepared), sealed }
      await tables.insertInto('prepared_key').values(row).execute()
    },
    remove: async (cluster, id) => {
      await tables.deleteFrom('prepared_key').where('cluster', '=', cluster).where('id', '=', id).execute()
    },
  }
}
