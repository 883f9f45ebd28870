import type { HistoryResult } from '@malleus/shared/domain/history-filter.ts'
import { CompiledQuery, sql } from 'kysely'
import type { ExpressionBuilder, Kysely, SelectQueryBuilder } from 'kysely'
import type { Database } from '../database/database.ts'
import type { KnownTerm, SearchBatch, SearchStore, Seek, TallyQuestion, Term, TermField } from './search-store.ts'

interface SearchTables {
  term: { id: number; field: TermField; value: string; shown: string; records: number }
  posting: { term: number; position: number }
  minute_start: { minute: number; position: number }
  tally: {
    span: number
    cluster: string
    view: string
    quiet: number
    at: number
    result: HistoryResult
    records: number
  }
  search_progress: { id: number; rules: number; position: number }
}

/** What the access history is asked by, in `search.db`. One writer. */
export class SqliteSearchStore implements SearchStore {
  readonly #database: Database
  readonly #tables: Kysely<SearchTables>

  constructor(database: Database) {
    this.#database = database
    this.#tables = database.tables<SearchTables>()
  }

  async progress(rules: number): Promise<number> {
    const row = await this.#tables.selectFrom('search_progress').select(['rules', 'position']).executeTakeFirst()
    return row?.rules === rules ? row.position : 0
  }

  async forget(rules: number): Promise<void> {
    const tables = this.#tables
    await this.#database.atomically([
      tables.deleteFrom('term'),
      tables.deleteFrom('posting'),
      tables.deleteFrom('minute_start'),
      tables.deleteFrom('tally'),
      tables.deleteFrom('search_progress'),
      tables.insertInto('search_progress').values({ id: 1, rules, position: 0 }),
    ])
  }

  async idsOf(terms: readonly Term[]): Promise<readonly number[]> {
    const known = await this.#known(terms)
    const missing = terms.filter((term) => !known.has(keyOf(term)))
    if (missing.length > 0) {
      const next = sql<number>`(select coalesce(max(id), 0) + 1 from term)`
      await this.#database.atomically(
        missing.map((term) =>
          this.#tables
            .insertInto('term')
            .values({ id: next, ...term, records: 0 })
            .onConflict((conflict) => conflict.columns(['field', 'value']).doNothing()),
        ),
      )
      for (const [key, id] of await this.#known(missing)) known.set(key, id)
    }
    return terms.map((term) => known.get(keyOf(term)) ?? 0)
  }

  async add({ postings, minutes, tallies, position }: SearchBatch): Promise<void> {
    const tables = this.#tables
    const records = Map.groupBy(postings, ({ term }) => term)
    await this.#database.atomically([
      ...pieces(postings).map(insertPostings),
      ...pieces(minutes).map((piece) =>
        tables
          .insertInto('minute_start')
          .values(piece)
          .onConflict((it) => it.doNothing()),
      ),
      ...pieces(tallies.map((tally) => ({ ...tally, quiet: Number(tally.quiet) }))).map((piece) =>
        tables
          .insertInto('tally')
          .values(piece)
          .onConflict((it) =>
            it
              .columns(['span', 'cluster', 'view', 'quiet', 'at', 'result'])
              .doUpdateSet({ records: sql`tally.records + excluded.records` }),
          ),
      ),
      ...[...records].map(([id, said]) => CompiledQuery.raw(countRecords, [said.length, id])),
      tables.updateTable('search_progress').set({ position }).where('id', '=', 1),
    ])
  }

  async terms(field: TermField, value: string, begins: boolean, limit: number): Promise<readonly KnownTerm[]> {
    const terms = this.#tables
      .selectFrom('term')
      .selectAll()
      .where('field', '=', field)
      .orderBy('records', 'desc')
      .limit(limit)
    // Everything that begins so sorts before what begins so and goes on with the last character there is.
    const fitting = begins
      ? terms.where('value', '>=', value).where('value', '<', `${value}\u{10FFFF}`)
      : terms.where('value', '=', value)
    return fitting.execute()
  }

  async firstOf(term: number): Promise<number | null> {
    const row = await this.#tables
      .selectFrom('posting')
      .select('position')
      .where('term', '=', term)
      .orderBy('position')
      .limit(1)
      .executeTakeFirst()
    return row?.position ?? null
  }

  async positions(seek: Seek, order: 'asc' | 'desc', limit: number): Promise<readonly number[]> {
    const question = sought(this.#tables, seek).select('p.position').orderBy('p.position', order).limit(limit)
    // One term is in the order of positions already; of several, a record may say more than one.
    const rows = await ((seek.groups[0]?.length ?? 0) > 1 ? question.distinct() : question).execute()
    return rows.map(({ position }) => position)
  }

  async counts(seek: Seek, by: readonly number[]): Promise<ReadonlyMap<number, number>> {
    const rows = await sought(this.#tables, seek)
      // SQLite keeps the order of a cross join (https://sqlite.org/optoverview.html#crossjoin): the other way round it
      // would look at every record there is.
      .crossJoin('posting as by')
      .whereRef('by.position', '=', 'p.position')
      .where('by.term', 'in', by)
      .select(({ fn }) => ['by.term as term', fn.countAll<number>().as('records')])
      .groupBy('by.term')
      .execute()
    return new Map(rows.map(({ term, records }) => [term, records]))
  }

  async tallies(question: TallyQuestion): Promise<readonly { at: number; result: HistoryResult; records: number }[]> {
    const { span, clusters, view, quiet, results, from, to } = question
    const asked = this.#tables
      .selectFrom('tally')
      .select(({ fn }) => ['at', 'result', fn.sum<number>('records').as('records')])
      .where('span', '=', span)
      .where('cluster', 'in', clusters)
      .where('view', '=', view)
      .where('quiet', 'in', quiet.map(Number))
      .where('at', '>=', from)
      .where('at', '<', to)
      .groupBy(['at', 'result'])
    return (results === null ? asked : asked.where('result', 'in', results)).execute()
  }

  async firstSince(minute: number): Promise<number | null> {
    const row = await this.#tables
      .selectFrom('minute_start')
      .select('position')
      .where('minute', '>=', minute)
      .orderBy('minute')
      .limit(1)
      .executeTakeFirst()
    return row?.position ?? null
  }

  async #known(terms: readonly Term[]): Promise<Map<string, number>> {
    const known = new Map<string, number>()
    for (const [field, ofField] of Map.groupBy(terms, (term) => term.field)) {
      for (const piece of pieces(ofField)) {
        const rows = await this.#tables
          .selectFrom('term')
          .select(['id', 'field', 'value'])
          .where('field', '=', field)
          .where(
            'value',
            'in',
            piece.map(({ value }) => value),
          )
          .execute()
        for (const row of rows) known.set(keyOf(row), row.id)
      }
    }
    return known
  }
}

// Written out, because building the same query for each of them costs more than carrying it out.
const countRecords = 'update term set records = records + ? where id = ?'

function insertPostings(piece: SearchBatch['postings']): CompiledQuery {
  const rows = piece.map(() => '(?, ?)').join(', ')
  const values = piece.flatMap(({ term, position }) => [term, position])
  return CompiledQuery.raw(`insert into posting (term, position) values ${rows} on conflict do nothing`, values)
}

type SoughtTables = SearchTables & { p: SearchTables['posting'] }

/** The postings of the first group that the others have too. The caller puts the group with the fewest first. */
function sought(
  tables: Kysely<SearchTables>,
  { groups, without, from, to }: Seek,
): SelectQueryBuilder<SoughtTables, 'p', object> {
  const [first = [], ...others] = groups
  let question: SelectQueryBuilder<SoughtTables, 'p', object> = tables
    .selectFrom('posting as p')
    .where('p.term', 'in', first)
    .where('p.position', '>=', from)
    .where('p.position', '<=', to)
  for (const group of others) {
    question =
      group.length > FEW
        ? question.where('p.position', 'in', saidWithin(tables, group, from, to))
        : question.where((is) => is.exists(saying(is, group)))
  }
  if (without.length === 0) return question
  return without.length > FEW
    ? question.where('p.position', 'not in', saidWithin(tables, without, from, to))
    : question.where((is) => is.not(is.exists(saying(is, without))))
}

/** For more terms than this, looking for each of them at each position costs more than listing where they are. */
const FEW = 6

function saidWithin(tables: Kysely<SearchTables>, terms: readonly number[], from: number, to: number) {
  return tables
    .selectFrom('posting')
    .select('position')
    .where('term', 'in', terms)
    .where('position', '>=', from)
    .where('position', '<=', to)
}

function saying(is: ExpressionBuilder<SoughtTables, 'p'>, terms: readonly number[]) {
  return is
    .selectFrom('posting as q')
    .select('q.term')
    .whereRef('q.position', '=', 'p.position')
    .where('q.term', 'in', terms)
}

function keyOf({ field, value }: Pick<Term, 'field' | 'value'>): string {
  return `${field}\0${value}`
}

/** SQLite takes 32 766 parameters a statement (https://sqlite.org/limits.html#max_variable_number). */
function pieces<T>(rows: readonly T[]): readonly T[][] {
  const found: T[][] = []
  for (let at = 0; at < rows.length; at += 250) found.push(rows.slice(at, at + 250))
  return found
}
