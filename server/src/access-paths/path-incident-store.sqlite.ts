import type { Database } from '../database/database.ts'
import { KeptPathIncident } from './path-incident.ts'
import type { PathIncidentStore } from './path-incident-store.ts'

interface Tables {
  path_incident: {
    cluster: string
    path: string
    incident: string
    began_at: number
    detail: string
  }
}

/** What incidents did to paths, in `malleus.db`, table `path_incident`. */
export function sqlitePathIncidentStore(database: Database): PathIncidentStore {
  const tables = database.tables<Tables>()
  return {
    write: async (cluster, incidents) => {
      const inserts = incidents.map((kept) => {
        const { path, incident, beganAt } = kept
        const row = { cluster, path, incident, began_at: Date.parse(beganAt), detail: JSON.stringify(kept) }
        return tables
          .insertInto('path_incident')
          .values(row)
          .onConflict((conflict) => conflict.columns(['cluster', 'path', 'incident']).doUpdateSet(row))
      })
      if (inserts.length > 0) await database.atomically(inserts)
    },
    latest: async (cluster, most) => {
      const rows = await tables
        .selectFrom('path_incident')
        .select('detail')
        .where('cluster', '=', cluster)
        .orderBy('began_at', 'desc')
        .limit(most)
        .execute()
      return rows.flatMap(({ detail }) => readKept(detail))
    },
    prune: async (cluster, before) => {
      await tables.deleteFrom('path_incident').where('cluster', '=', cluster).where('began_at', '<', before).execute()
    },
  }
}

/** A row that cannot be read is left out. */
function readKept(text: string): KeptPathIncident[] {
  try {
    return [KeptPathIncident.parse(JSON.parse(text))]
  } catch {
    return []
  }
}
