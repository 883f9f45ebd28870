import type { Kysely } from 'kysely'
import type { Database } from '../database/database.ts'
import type { SinkPlace, SinkStore } from './sink-store.ts'

interface SinkTables {
  sink_place: { sink: string; attestation: number; position: number }
}

/** The places of sinks in `audit.db`. */
export class SqliteSinkStore implements SinkStore {
  readonly #tables: Kysely<SinkTables>

  constructor(database: Database) {
    this.#tables = database.tables<SinkTables>()
  }

  async place(sink: string): Promise<SinkPlace> {
    const place = await this.#tables
      .selectFrom('sink_place')
      .select(['attestation', 'position'])
      .where('sink', '=', sink)
      .executeTakeFirst()
    return place ?? { attestation: 0, position: 0 }
  }

  async move(sink: string, place: SinkPlace): Promise<void> {
    await this.#tables
      .insertInto('sink_place')
      .values({ sink, ...place })
      .onConflict((conflict) => conflict.column('sink').doUpdateSet(place))
      .execute()
  }
}
