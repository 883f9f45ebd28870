import type { Database } from '../database/database.ts'
import type { GivenTokenStore } from './given-token-store.ts'

interface Tables {
  trust_token: {
    cluster: string
    operation: string
    name: string
    member: string | null
    made_by: string
    made_at: number
    withdraw_at: number | null
  }
}

/** Tokens in `malleus.db`, table `trust_token`. Their secrets are never in it. */
export function sqliteGivenTokenStore(database: Database): GivenTokenStore {
  const tables = database.tables<Tables>()
  return {
    all: async (cluster) => {
      const rows = await tables.selectFrom('trust_token').selectAll().where('cluster', '=', cluster).execute()
      return rows.map(({ made_by: madeBy, made_at: madeAt, withdraw_at: withdrawAt, ...rest }) => {
        return { ...rest, madeBy, madeAt, withdrawAt }
      })
    },
    keep: async ({ madeBy, madeAt, withdrawAt, ...rest }) => {
      await tables
        .insertInto('trust_token')
        .values({ ...rest, made_by: madeBy, made_at: madeAt, withdraw_at: withdrawAt })
        .onConflict((conflict) => conflict.columns(['cluster', 'operation']).doNothing())
        .execute()
    },
    forget: async (cluster, operation) => {
      await tables.deleteFrom('trust_token').where('cluster', '=', cluster).where('operation', '=', operation).execute()
    },
  }
}
