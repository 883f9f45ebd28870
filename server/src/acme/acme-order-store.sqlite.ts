import { AcmeOrder } from '@malleus/shared/api/acme.ts'
import { z } from 'zod'
import type { Database } from '../database/database.ts'
import type { AcmeOrderStore } from './acme-order-store.ts'

interface Tables {
  acme_order: { cluster: string; kept: string }
}

const Kept = z.object({
  order: AcmeOrder,
  fingerprintsBefore: z.array(z.string()),
  renewalsBefore: z.array(z.string()),
  begun: z.unknown(),
})

/** The latest order of each cluster in `malleus.db`, table `acme_order`. */
export function sqliteAcmeOrderStore(database: Database): AcmeOrderStore {
  const tables = database.tables<Tables>()
  return {
    read: async (cluster) => {
      const row = await tables.selectFrom('acme_order').select('kept').where('cluster', '=', cluster).executeTakeFirst()
      return row === undefined ? null : Kept.parse(JSON.parse(row.kept))
    },
    write: async (cluster, kept) => {
      const row = { kept: JSON.stringify(kept) }
      await tables
        .insertInto('acme_order')
        .values({ cluster, ...row })
        .onConflict((conflict) => conflict.column('cluster').doUpdateSet(row))
        .execute()
    },
  }
}
