import type { Database } from '../database/database.ts'
import type { IdentityUse, IdentityUseStore } from './identity-use-store.ts'

interface Tables {
  identity_use: { cluster: string } & IdentityUse
}

/** The uses in `malleus.db`. */
export function sqliteIdentityUseStore(database: Database): IdentityUseStore {
  const tables = database.tables<Tables>()
  return {
    read: async (cluster) => {
      const rows = await tables.selectFrom('identity_use').selectAll().where('cluster', '=', cluster).execute()
      return rows.map(({ protocol, identity, at, address, member }) => ({ protocol, identity, at, address, member }))
    },
    write: async (cluster, uses) => {
      if (uses.length === 0) return
      await tables
        .insertInto('identity_use')
        .values(
          uses.map(({ protocol, identity, at, address, member }) => ({
            cluster,
            protocol,
            identity,
            at,
            address,
            member,
          })),
        )
        .onConflict((conflict) =>
          conflict.columns(['cluster', 'protocol', 'identity']).doUpdateSet((row) => ({
            at: row.ref('excluded.at'),
            address: row.ref('excluded.address'),
            member: row.ref('excluded.member'),
          })),
        )
        .execute()
    },
  }
}
