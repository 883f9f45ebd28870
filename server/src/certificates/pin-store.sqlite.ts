import { z } from 'zod'
import type { Database } from '../database/database.ts'
import type { PinStore } from './pin-store.ts'

interface Tables {
  cluster_pin: { cluster: string; configured: string; pins: string; changed_at: number }
}

const Pins = z.array(z.object({ fingerprint: z.string(), position: z.enum(['current', 'next']), from: z.string() }))

/** The pins in `malleus.db`, table `cluster_pin`. */
export function sqlitePinStore(database: Database): PinStore {
  const tables = database.tables<Tables>()
  return {
    read: async (cluster, configured) => {
      const row = await tables
        .selectFrom('cluster_pin')
        .select('pins')
        .where('cluster', '=', cluster)
        .where('configured', '=', configured)
        .executeTakeFirst()
      return row === undefined ? null : Pins.parse(JSON.parse(row.pins))
    },
    write: async (cluster, configured, pins, at) => {
      const row = { configured, pins: JSON.stringify(pins), changed_at: at }
      await tables
        .insertInto('cluster_pin')
        .values({ cluster, ...row })
        .onConflict((conflict) => conflict.column('cluster').doUpdateSet(row))
        .execute()
    },
  }
}
