import { sql } from 'kysely'
import type { Database } from '../database/database.ts'
import type { KeptIncident as Kept } from './incident.ts'
import { isDoubt, KeptIncident } from './incident.ts'
import type { IncidentFilter, IncidentStore } from './incident-store.ts'

interface Tables {
  incident: {
    cluster: string
    id: string
    member: string
    began_at: number
    ended_at: number | null
    incident: string
  }
}

/** Incidents in `malleus.db`, table `incident`. */
export function sqliteIncidentStore(database: Database): IncidentStore {
  const tables = database.tables<Tables>()
  const wanted = (cluster: string, { member, before }: Omit<IncidentFilter, 'doubts'>) => {
    let query = tables.selectFrom('incident').where('cluster', '=', cluster)
    if (member !== null) query = query.where('member', '=', member)
    if (before !== null) query = query.where('began_at', '<', before)
    return query
  }
  return {
    write: async (cluster, incidents) => {
      const inserts = incidents.map((incident) => {
        const row = rowOf(cluster, incident)
        return tables
          .insertInto('incident')
          .values(row)
          .onConflict((conflict) => conflict.columns(['cluster', 'id']).doUpdateSet(row))
      })
      if (inserts.length > 0) await database.atomically(inserts)
    },
    get: async (cluster, id) => {
      const row = await tables
        .selectFrom('incident')
        .select('incident')
        .where('cluster', '=', cluster)
        .where('id', '=', id)
        .executeTakeFirst()
      return (row && incidentIn(row.incident)[0]) ?? null
    },
    open: async (cluster) => {
      const rows = await wanted(cluster, { member: null, before: null })
        .select('incident')
        .where('ended_at', 'is', null)
        .execute()
      return rows.flatMap((row) => incidentIn(row.incident))
    },
    list: async (cluster, filter, most) => {
      let query = wanted(cluster, filter).select('incident').orderBy('began_at', 'desc').orderBy('id').limit(most)
      if (!filter.doubts) query = query.where(sql<boolean>`not ${isKeptDoubt}`)
      const rows = await query.execute()
      return rows.flatMap((row) => incidentIn(row.incident))
    },
    countDoubts: async (cluster, filter, from) => {
      const { count } = await wanted(cluster, filter)
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .where('began_at', '>=', from)
        .where(isKeptDoubt)
        .executeTakeFirstOrThrow()
      return count
    },
    prune: async (cluster, before, most) => {
      await tables.deleteFrom('incident').where('cluster', '=', cluster).where('ended_at', '<', before).execute()
      await tables
        .deleteFrom('incident')
        .where('cluster', '=', cluster)
        .where('ended_at', 'is not', null)
        .where(
          sql<boolean>`began_at <= (
            select began_at from incident where cluster = ${cluster} order by began_at desc limit 1 offset ${most}
          )`,
        )
        .execute()
    },
  }
}

const isKeptDoubt = sql<boolean>`coalesce(incident ->> 'doubt', 0)`

function rowOf(cluster: string, incident: Kept): Tables['incident'] {
  return {
    cluster,
    id: incident.id,
    member: incident.member,
    began_at: Date.parse(incident.beganAt),
    ended_at: incident.end === null ? null : Date.parse(incident.end.at),
    incident: JSON.stringify({ ...incident, doubt: isDoubt(incident) }),
  }
}

/** A row that cannot be read is left out. */
function incidentIn(text: string): Kept[] {
  try {
    return [KeptIncident.parse(JSON.parse(text))]
  } catch {
    return []
  }
}
