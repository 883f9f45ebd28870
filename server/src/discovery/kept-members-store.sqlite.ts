import { IncusMembers } from '@malleus/shared/incus/member.ts'
import type { Database } from '../database/database.ts'
import type { KeptMembersStore } from './kept-members-store.ts'

interface Tables {
  kept_members: { cluster: string; trusted: string; members: string; at: number }
}

/** The list in `malleus.db`, table `kept_members`. What people may have written into a member's config is left out. */
export function sqliteKeptMembersStore(database: Database): KeptMembersStore {
  const tables = database.tables<Tables>()
  return {
    read: async (cluster, trusted) => {
      const row = await tables
        .selectFrom('kept_members')
        .select(['members', 'at'])
        .where('cluster', '=', cluster)
        .where('trusted', '=', trusted)
        .executeTakeFirst()
      return row === undefined ? null : { members: IncusMembers.parse(JSON.parse(row.members)), at: row.at }
    },
    write: async (cluster, trusted, { members, at }) => {
      const row = { trusted, members: JSON.stringify(members.map((member) => ({ ...member, config: {} }))), at }
      await tables
        .insertInto('kept_members')
        .values({ cluster, ...row })
        .onConflict((conflict) => conflict.column('cluster').doUpdateSet(row))
        .execute()
    },
  }
}
