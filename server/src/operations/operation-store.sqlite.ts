import { Operation } from '@malleus/shared/api/operations.ts'
import { isFinished } from '@malleus/shared/api/operations.ts'
import type { Kysely } from 'kysely'
import { sql } from 'kysely'
import { z } from 'zod'
import type { Database } from '../database/database.ts'
import type {
  OpenedOperations,
  OperationChange,
  OperationPiece,
  OperationStore,
  Sight,
  StoredOperation,
} from './operation-store.ts'

interface Tables {
  operation: {
    cluster: string
    id: string
    project: string | null
    status: string
    finished: number
    heard_at: number
    shown: string
    told: string | null
    begun: string | null
    revision: number
  }
  operation_sight: { cluster: string; authority: Uint8Array; id: string; revision: number }
}

/** SQLite takes some thousands of parameters in one statement. */
const rowsAtOnce = 200

/** Operations in `malleus.db`, tables `operation` and `operation_sight`. */
export class SqliteOperationStore implements OperationStore {
  readonly #database: Database
  readonly #tables: Kysely<Tables>

  constructor(database: Database) {
    this.#database = database
    this.#tables = database.tables<Tables>()
  }

  async write(cluster: string, changes: readonly OperationChange[], sights: readonly Sight[]): Promise<void> {
    const operations = inParts(changes.map((change) => rowOf(cluster, change))).map((rows) =>
      this.#tables
        .insertInto('operation')
        .values(rows)
        .onConflict((conflict) =>
          conflict.columns(['cluster', 'id']).doUpdateSet((row) => ({
            project: row.ref('excluded.project'),
            status: row.ref('excluded.status'),
            finished: row.ref('excluded.finished'),
            heard_at: row.ref('excluded.heard_at'),
            shown: row.ref('excluded.shown'),
            // What only an earlier part of this process knew stays.
            told: sql<string | null>`coalesce(excluded.told, operation.told)`,
            begun: sql<string | null>`coalesce(excluded.begun, operation.begun)`,
            revision: row.ref('excluded.revision'),
          })),
        ),
    )
    const seen = inParts(
      sights.map(({ authority, id, revision }) => ({ cluster, authority: bytesOf(authority), id, revision })),
    ).map((rows) =>
      this.#tables
        .insertInto('operation_sight')
        .values(rows)
        .onConflict((conflict) => conflict.doNothing()),
    )
    await this.#database.atomically([...operations, ...seen])
  }

  async open(cluster: string, endedSince: number): Promise<OpenedOperations> {
    const rows = await this.#tables
      .selectFrom('operation')
      .select(['id', 'shown', 'told', 'begun'])
      .where('cluster', '=', cluster)
      .where((row) => row.or([row('finished', '=', 0), row('heard_at', '>=', endedSince)]))
      .execute()
    const sights = await this.#tables
      .selectFrom('operation_sight as s')
      .innerJoin('operation as o', (join) => join.onRef('o.cluster', '=', 's.cluster').onRef('o.id', '=', 's.id'))
      .select(['s.authority', 's.id'])
      .where('s.cluster', '=', cluster)
      .where((row) => row.or([row('o.finished', '=', 0), row('o.heard_at', '>=', endedSince)]))
      .execute()
    const highest = await sql<{ revision: number }>`select max(
      coalesce((select max(revision) from operation where cluster = ${cluster}), 0),
      coalesce((select max(revision) from operation_sight where cluster = ${cluster}), 0)
    ) as revision`.execute(this.#tables)
    return {
      rows: rows.flatMap((row) => storedIn(row) ?? []),
      sights: sights.map(({ authority, id }) => ({ authority: Buffer.from(authority).toString('hex'), id })),
      revision: highest.rows[0]?.revision ?? 0,
    }
  }

  async piece(cluster: string, authority: string, since: number, most: number): Promise<OperationPiece> {
    const { rows } = await sql<{ shown: string; revision: number }>`
      select o.shown, max(o.revision, s.revision) as revision
      from operation_sight s join operation o on o.cluster = s.cluster and o.id = s.id
      where s.cluster = ${cluster} and s.authority = ${bytesOf(authority)}
        and (o.revision > ${since} or s.revision > ${since})
      order by 2 limit ${most + 1}`.execute(this.#tables)
    const piece = rows.slice(0, most)
    return {
      operations: piece.flatMap(({ shown }) => shownIn(shown) ?? []),
      revision: piece.at(-1)?.revision ?? since,
      more: rows.length > most,
    }
  }

  async one(cluster: string, authority: string, id: string): Promise<StoredOperation | null> {
    const row = await this.#tables
      .selectFrom('operation as o')
      .innerJoin('operation_sight as s', (join) => join.onRef('o.cluster', '=', 's.cluster').onRef('o.id', '=', 's.id'))
      .select(['o.shown', 'o.told', 'o.begun'])
      .where('o.cluster', '=', cluster)
      .where('o.id', '=', id)
      .where('s.authority', '=', bytesOf(authority))
      .executeTakeFirst()
    return row === undefined ? null : (storedIn(row) ?? null)
  }

  async prune(cluster: string, keep: Parameters<OperationStore['prune']>[1]): Promise<void> {
    const { since, wellSince, most } = keep
    await this.#database.atomically([
      this.#tables
        .deleteFrom('operation')
        .where('cluster', '=', cluster)
        .where('finished', '=', 1)
        .where('heard_at', '<', since),
      sql`delete from operation where cluster = ${cluster} and id in (
        select id from operation where cluster = ${cluster} and finished = 1
        order by status = 'success' and heard_at < ${wellSince} desc, heard_at
        limit max(0, (select count(*) from operation where cluster = ${cluster}) - ${most})
      )`.compile(this.#tables),
      sql`delete from operation_sight where cluster = ${cluster} and not exists (
        select 1 from operation o where o.cluster = operation_sight.cluster and o.id = operation_sight.id
      )`.compile(this.#tables),
    ])
  }
}

function rowOf(cluster: string, { operation, told, begun, revision }: OperationChange): Tables['operation'] {
  return {
    cluster,
    id: operation.id,
    project: operation.project,
    status: operation.status,
    finished: isFinished(operation) && !operation.looking ? 1 : 0,
    heard_at: Date.parse(operation.heardAt),
    shown: JSON.stringify(operation),
    told: told === null ? null : JSON.stringify(told),
    begun: begun === null || begun === undefined ? null : JSON.stringify(begun),
    revision,
  }
}

const Told = z.record(z.string(), z.unknown()).nullable()

/** Nothing where another version wrote what this one cannot read. */
function storedIn(row: Pick<Tables['operation'], 'shown' | 'told' | 'begun'>): StoredOperation | undefined {
  const operation = shownIn(row.shown)
  if (operation === undefined) return undefined
  const told = Told.safeParse(row.told === null ? null : JSON.parse(row.told))
  return { operation, told: told.success ? told.data : null, begun: row.begun === null ? null : JSON.parse(row.begun) }
}

function shownIn(text: string): Operation | undefined {
  const parsed = Operation.safeParse(JSON.parse(text))
  return parsed.success ? parsed.data : undefined
}

function bytesOf(authority: string): Uint8Array {
  return Buffer.from(authority, 'hex')
}

function inParts<Item>(items: readonly Item[]): Item[][] {
  return Array.from({ length: Math.ceil(items.length / rowsAtOnce) }, (_, part) =>
    items.slice(part * rowsAtOnce, (part + 1) * rowsAtOnce),
  )
}
