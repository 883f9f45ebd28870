/**
 * What is known of a list whose rows live on several members: which objects there are, what each was like when its member
 * last told it, and since which revision it is so. Pure; a value is never changed in place.
 *
 * Incus answers such a list only after every member that holds objects has answered it, or after 30 s for each that
 * does not, whose rows then say nothing but their names (incus `cmd/incusd/instances_get.go`). So an answer is never put
 * in the place of what is known, but merged into it.
 *
 * Times are wall clock. A row is as old as the question that it answers, not as the answer: with one member silent, what
 * the others said is half a minute old by then. Of two things said of one row, the one that was asked for later counts.
 */
export interface KnownList<Row> {
  readonly rows: ReadonlyMap<string, KnownRow<Row>>
  /** Objects that are no more, and since when; so that an older answer does not bring them back. */
  readonly gone: ReadonlyMap<string, Gone>
  /** Of each member, as of when its rows were last told. */
  readonly toldAt: ReadonlyMap<string, number>
  /** Members whose rows the latest whole answer did not tell. */
  readonly untold: ReadonlySet<string>
  /** When the latest whole answer was asked for; null before there was one. */
  readonly listedAt: number | null
  /** When the names were asked for that are known while there is no whole answer; null where not even they are. */
  readonly namedAt: number | null
  /** Counts up with every change of a row. */
  readonly revision: number
  /** Changes up to this revision are not told one by one any more: some of what has gone since is forgotten. */
  readonly wholeUntil: number
}

export interface KnownRow<Row> {
  readonly row: Row
  readonly member: string
  /** As of when the row is true; null when its member never told it, and only what names it is known. */
  readonly asOf: number | null
  /** Whether it was told when it was last asked for. Else it is the last known one. */
  readonly current: boolean
  /** In which its content or its being current changed. */
  readonly revision: number
}

interface Gone {
  readonly at: number
  readonly revision: number
}

/** One row as Incus told it, or only named it. */
export interface AnsweredRow<Row> {
  readonly key: string
  readonly member: string
  /** With what names it alone, where it was not told. */
  readonly row: Row
  readonly told: boolean
}

/** What can be asked of rows of one kind. */
export interface RowKind<Row> {
  /** Whether nobody could tell them apart. */
  same(a: Row, b: Row): boolean
  /** The row last told, with what the one that only names it says otherwise. */
  keep(before: Row, named: Row): Row
}

export function nothingKnown<Row>(): KnownList<Row> {
  const none = { rows: new Map(), gone: new Map(), toldAt: new Map(), untold: new Set<string>() }
  return { ...none, listedAt: null, namedAt: null, revision: 0, wholeUntil: 0 }
}

/** How many objects that are no more are remembered, so that a page can be told of them one by one. */
const mostGone = 1_000

/** Which members told their part of a whole answer, where rows alone do not say it. */
export interface Tellers {
  readonly told: readonly string[]
  readonly silent: readonly string[]
}

/**
 * Takes in a whole answer: rows it tells are so, rows it only names are kept as they were, and what it lacks is gone.
 *
 * @param tellers who told their part; by default those of whom it tells a row, and not those of whom it only names some
 */
export function withWholeAnswer<Row>(
  list: KnownList<Row>,
  answered: readonly AnsweredRow<Row>[],
  askedAt: number,
  kind: RowKind<Row>,
  tellers: Tellers = tellersIn(answered),
): KnownList<Row> {
  const revision = list.revision + 1
  const rows = new Map<string, KnownRow<Row>>()
  const gone = new Map(list.gone)
  for (const answer of answered) {
    const goneSince = gone.get(answer.key)
    if (goneSince !== undefined && goneSince.at > askedAt) continue
    gone.delete(answer.key)
    rows.set(answer.key, nextRow(list.rows.get(answer.key), answer, askedAt, revision, kind))
  }
  for (const [key, known] of list.rows) {
    if (rows.has(key)) continue
    // Made after the list was asked for, which therefore could not have it.
    if (known.asOf !== null && known.asOf > askedAt) rows.set(key, known)
    else gone.set(key, { at: askedAt, revision })
  }
  const toldAt = new Map(list.toldAt)
  for (const member of tellers.told) toldAt.set(member, askedAt)
  return settle({ ...list, rows, gone, toldAt, untold: new Set(tellers.silent), listedAt: askedAt, revision })
}

function tellersIn(answered: readonly AnsweredRow<unknown>[]): Tellers {
  const told = new Set(answered.filter((row) => row.told).map(({ member }) => member))
  const named = answered.map(({ member }) => member)
  return { told: [...told], silent: named.filter((member) => !told.has(member)) }
}

/** Takes in which objects there are, before a whole answer tells more of them. Nothing where there was one. */
export function withNames<Row>(
  list: KnownList<Row>,
  named: readonly Omit<AnsweredRow<Row>, 'told'>[],
  askedAt: number,
): KnownList<Row> {
  if (list.listedAt !== null) return list
  const revision = list.revision + 1
  const rows = new Map(
    named.map(({ key, member, row }) => [key, { row, member, asOf: null, current: false, revision }] as const),
  )
  return { ...list, rows, namedAt: askedAt, revision, wholeUntil: revision }
}

/** Takes in what was told of single objects; those of `gone` are no more. */
export function withRows<Row>(
  list: KnownList<Row>,
  answered: readonly AnsweredRow<Row>[],
  goneKeys: readonly string[],
  askedAt: number,
  kind: RowKind<Row>,
): KnownList<Row> {
  const revision = list.revision + 1
  const rows = new Map(list.rows)
  const gone = new Map(list.gone)
  for (const answer of answered) {
    const goneSince = gone.get(answer.key)
    if (goneSince !== undefined && goneSince.at > askedAt) continue
    gone.delete(answer.key)
    rows.set(answer.key, nextRow(rows.get(answer.key), answer, askedAt, revision, kind))
  }
  for (const key of goneKeys) {
    if ((rows.get(key)?.asOf ?? 0) > askedAt) continue
    rows.delete(key)
    gone.set(key, { at: askedAt, revision })
  }
  return settle({ ...list, rows, gone, revision })
}

function nextRow<Row>(
  before: KnownRow<Row> | undefined,
  { row, member, told }: AnsweredRow<Row>,
  askedAt: number,
  revision: number,
  kind: RowKind<Row>,
): KnownRow<Row> {
  if (before === undefined || (before.asOf === null && told)) {
    return { row, member, asOf: told ? askedAt : null, current: told, revision }
  }
  if (before.asOf !== null && before.asOf > askedAt) return before
  const next = told ? row : before.asOf === null ? row : kind.keep(before.row, row)
  const asOf = told ? askedAt : before.asOf
  // The same object as before where nothing is new: that is what tells changes from repetitions.
  if (kind.same(before.row, next) && before.current === told) return { ...before, member, asOf }
  return { row: kind.same(before.row, next) ? before.row : next, member, asOf, current: told, revision }
}

/** Forgets the oldest of what is gone, and from which revision on that matters. */
function settle<Row>(list: KnownList<Row>): KnownList<Row> {
  const { gone, wholeUntil } = list
  const forgotten = [...gone].slice(0, Math.max(0, gone.size - mostGone))
  if (forgotten.length === 0) return list
  const kept = new Map(gone)
  for (const [key] of forgotten) kept.delete(key)
  return { ...list, gone: kept, wholeUntil: Math.max(wholeUntil, ...forgotten.map(([, { revision }]) => revision)) }
}

export interface ChangesSince<Row> {
  /** Whether `rows` are all of them. */
  readonly whole: boolean
  readonly rows: readonly KnownRow<Row>[]
  readonly gone: readonly string[]
}

/** What is different from an earlier revision, or everything where that cannot be told. */
export function changesSince<Row>(list: KnownList<Row>, since: number | null): ChangesSince<Row> {
  if (since === null || since < list.wholeUntil || since > list.revision) {
    return { whole: true, rows: [...list.rows.values()], gone: [] }
  }
  const rows = [...list.rows.values()].filter(({ revision }) => revision > since)
  const gone = [...list.gone].flatMap(([key, { revision }]) => (revision > since ? [key] : []))
  return { whole: false, rows, gone }
}

/** Whether anything that a page shows is different: a row, or how current a member's rows are. */
export function differsFrom<Row>(list: KnownList<Row>, before: KnownList<Row>): boolean {
  if ((list.listedAt === null) !== (before.listedAt === null) || list.namedAt !== before.namedAt) return true
  if (list.rows.size !== before.rows.size) return true
  if (list.untold.size !== before.untold.size || [...list.untold].some((member) => !before.untold.has(member)))
    return true
  return [...list.rows].some(([key, { revision }]) => before.rows.get(key)?.revision !== revision)
}
