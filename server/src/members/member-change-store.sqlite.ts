import { MemberChange } from '@malleus/shared/api/member-health.ts'
import { sql } from 'kysely'
import type { Database } from '../database/database.ts'
import type { MemberChangeStore } from './member-change-store.ts'

interface Tables {
  member_change: { cluster: string; member: string; at: number; number: number; change: string }
}

const rowsInOne = 500

/** The changes of members in `malleus.db`, table `member_change`. */
export function sqliteMemberChangeStore(database: Database): MemberChangeStore {
  const tables = database.tables<Tables>()
  return {
    write: async (cluster, changes) => {
      const rows = changes.map(({ member, number, change }) => ({
        cluster,
        member,
        at: Date.parse(change.at),
        number,
        change: JSON.stringify(change),
      }))
      const inserts = Array.from({ length: Math.ceil(rows.length / rowsInOne) }, (_, n) =>
        tables
          .insertInto('member_change')
          .values(rows.slice(n * rowsInOne, (n + 1) * rowsInOne))
          .onConflict((conflict) => conflict.doNothing()),
      )
      if (inserts.length > 0) await database.atomically(inserts)
    },
    read: async (cluster, member, from) => {
      const kept = tables.selectFrom('member_change').where('cluster', '=', cluster).where('member', '=', member)
      const [rows, before, all] = await Promise.all([
        kept.select('change').where('at', '>=', from).orderBy('at', 'desc').orderBy('number', 'desc').execute(),
        kept
          .select('change')
          .where('at', '<', from)
          .where(sql<boolean>`change ->> 'kind' = 'standing'`)
          .orderBy('at', 'desc')
          .orderBy('number', 'desc')
          .limit(1)
          .execute(),
        kept
          .select(({ fn }) => [fn.min<number | null>('at').as('oldest'), fn.countAll<number>().as('kept')])
          .executeTakeFirstOrThrow(),
      ])
      return {
        changes: rows.flatMap(({ change }) => changeIn(change)),
        standingBefore: before.flatMap(({ change }) => changeIn(change))[0] ?? null,
        oldestAt: all.oldest,
        kept: all.kept,
      }
    },
    latest: async (cluster) => {
      // With max() SQLite takes the other columns from the row that has it (https://sqlite.org/quirks.html, 9).
      const rows = await tables
        .selectFrom('member_change')
        .select(['member', 'change', sql<number>`max(at * 1000 + number % 1000)`.as('latest')])
        .where('cluster', '=', cluster)
        .groupBy(['member', sql`change ->> 'kind'`])
        .execute()
      return rows.flatMap(({ member, change }) => changeIn(change).map((each) => ({ member, change: each })))
    },
    prune: async (cluster, before, members, most) => {
      await tables.deleteFrom('member_change').where('cluster', '=', cluster).where('at', '<', before).execute()
      for (const member of members) {
        const tooOld = sql<boolean>`(at, number) <= (
          select at, number from member_change where cluster = ${cluster} and member = ${member}
          order by at desc, number desc limit 1 offset ${most}
        )`
        await tables
          .deleteFrom('member_change')
          .where('cluster', '=', cluster)
          .where('member', '=', member)
          .where(tooOld)
          .execute()
      }
    },
  }
}

/** A row that cannot be read is left out. */
function changeIn(text: string): MemberChange[] {
  try {
    return [MemberChange.parse(JSON.parse(text))]
  } catch {
    return []
  }
}
