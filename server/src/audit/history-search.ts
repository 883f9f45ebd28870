/**
 * Asks the access history. Each answer takes a bounded time: it goes through the history in slices, newest first, and says
 * how far it came and where to go on. By what is noted (`search-index.ts`) a slice is long and takes nothing; words that
 * may stand anywhere, and records that are not noted yet, are looked through one by one.
 */
import type { AuditRecord } from '@malleus/shared/api/audit.ts'
import { historyFacts, historyResult } from '@malleus/shared/domain/history-facts.ts'
import {
  fitsHistory,
  hasWords,
  historyInstant,
  historyResults,
  type HistoryField,
  type HistoryFilter,
  type HistoryResult,
} from '@malleus/shared/domain/history-filter.ts'
import type { Clock } from '../lib/clock.ts'
import type { AuditStore, StoredLine } from './audit-store.ts'
import { FilterRefused } from './filter-refused.ts'
import { isQuiet, parseRecord } from './record.ts'
import type { SearchIndex } from './search-index.ts'
import type { KnownTerm, SearchStore, Seek } from './search-store.ts'
import { noCluster, quietWord, tallySpans } from './search-terms.ts'

export interface HistorySearchOptions {
  readonly history: Pick<AuditStore, 'at' | 'before' | 'after'>
  readonly store: SearchStore
  readonly index: Pick<SearchIndex, 'position'>
  readonly clock: Clock
  /** How long one answer looks before it says how far it came. Default 30 ms. */
  readonly budgetMs?: number
}

export interface HistoryQuestion {
  readonly filter: HistoryFilter
  /** Of these clusters, and of none. */
  readonly clusters: readonly string[]
  readonly withoutCluster: boolean
  /** Also those of people only looking. */
  readonly reads: boolean
}

export interface HistoryPageQuestion extends HistoryQuestion {
  readonly limit: number
  /** Where to go on, as an answer before said; null: at the newest, or the oldest. */
  readonly cursor: string | null
  readonly order: 'newest' | 'oldest'
}

export interface HistoryPage {
  readonly records: readonly AuditRecord[]
  /** Where to go on; null when there is nothing more. */
  readonly next: string | null
  /** Up to which instant it has been looked, when the page is not full and there is more. */
  readonly searchedTo: string | null
  readonly tookMs: number
}

export interface HistoryBar {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly records: number
  readonly refused: number
  readonly failed: number
}

export interface Histogram {
  readonly barMs: number
  readonly bars: readonly HistoryBar[]
  /** Bars before this instant are not counted yet; null when all are. */
  readonly countedFrom: number | null
}

const FIRST_WIDTH = 4_096
const QUICK_MS = 4
const CHUNK = 250
const EXPORT_CHUNK = 1_000
const MOST_VALUES = 500
const MINUTE_MS = 60_000
/** Clocks of several replicas differ, and what waited is written late: so far around a time is looked. */
const SLACK_MINUTES = 2

export class HistorySearch {
  readonly #options: HistorySearchOptions & { readonly budgetMs: number }

  constructor(options: HistorySearchOptions) {
    this.#options = { budgetMs: 30, ...options }
  }

  /** The last record that can be found by what it says. */
  get position(): number {
    return this.#options.index.position
  }

  /** The end of a time that is to reach until now. */
  now(): number {
    return this.#options.clock.now()
  }

  /**
   * One page, complete or as far as the time allowed.
   *
   * @throws FilterRefused
   */
  async page(question: HistoryPageQuestion): Promise<HistoryPage> {
    const { clock, budgetMs } = this.#options
    const begunAt = clock.monotonic()
    const page = await this.#page(question, begunAt + budgetMs)
    return { ...page, tookMs: Math.round(clock.monotonic() - begunAt) }
  }

  async #page(question: HistoryPageQuestion, endsAt: number): Promise<Omit<HistoryPage, 'tookMs'>> {
    const { clock } = this.#options
    const { order, limit } = question
    const at = positionOf(question.cursor, order)
    const range = await this.#rangeOf(question.filter)
    const found: AuditRecord[] = []
    let from = order === 'newest' ? Math.min(at ?? Infinity, range.to) : Math.max(at ?? 0, range.from)
    const judge = this.#judgeOf(question)
    const noted = this.position

    if (order === 'newest' && from > noted) {
      const walked = await this.#walk(from, Math.max(noted, range.from - 1), limit, judge, endsAt)
      found.push(...walked.records)
      from = walked.next
      if (found.length === limit || (walked.late && from > noted)) return this.#pageOf(found, from, question, range)
    }
    const seek = await this.#seekOf(question)
    if (seek !== null) {
      let width = FIRST_WIDTH
      while (found.length < limit && from >= range.from && from <= Math.min(noted, range.to)) {
        const begunAt = clock.monotonic()
        const to =
          order === 'newest' ? Math.max(range.from, from - width + 1) : Math.min(noted, range.to, from + width - 1)
        const wanted = question.filter.words.length > 0 ? CHUNK : limit - found.length
        const slice = { ...seek, from: Math.min(from, to), to: Math.max(from, to) }
        const positions = await this.#options.store.positions(slice, order === 'newest' ? 'desc' : 'asc', wanted)
        const isWhole = positions.length < wanted
        const step = order === 'newest' ? -1 : 1
        from = (isWhole ? to : (positions.at(-1) ?? to)) + step
        for (const { record, position } of await this.#records(positions, judge.words)) {
          if (!judge.isInTime(record)) continue
          found.push(record)
          if (found.length < limit) continue
          from = position + step
          break
        }
        const now = clock.monotonic()
        if (now >= endsAt) break
        if (isWhole) width = now - begunAt < QUICK_MS ? width * 4 : Math.max(FIRST_WIDTH, width / 2)
      }
    } else from = order === 'newest' ? 0 : Math.max(from, noted + 1)
    if (order === 'oldest' && from > noted && found.length < limit && clock.monotonic() < endsAt) {
      // What is not noted yet is the newest, and the end of this order.
      const rest = await this.#walk(Infinity, Math.max(noted, from - 1), Infinity, judge, Infinity)
      found.push(...rest.records.toReversed().slice(0, limit - found.length))
      return { records: found, next: null, searchedTo: null }
    }
    return this.#pageOf(found, from, question, range)
  }

  /**
   * How many records there are over time, in bars of equal length. Exact at once where what is asked for was counted when
   * it was recorded; else the newest bars that the time allowed. `to` continues an answer: only bars before it are counted.
   *
   * @throws FilterRefused
   */
  async histogram(question: HistoryQuestion & { from: number; to: number; bars: number }): Promise<Histogram> {
    const { span, barMs, first, end } = barsOf(question)
    const view = countedView(question.filter)
    const bars: HistoryBar[] = []
    for (let at = first; at < end; at += barMs) bars.push({ at, records: 0, refused: 0, failed: 0 })
    if (view !== null) {
      const rows = await this.#options.store.tallies({
        span,
        clusters: [...question.clusters, ...(question.withoutCluster ? [''] : [])],
        view: view.view,
        quiet: question.reads ? [false, true] : [false],
        results: view.results,
        from: first / (span * MINUTE_MS),
        to: end / (span * MINUTE_MS),
      })
      for (const { at, result, records } of rows) {
        const bar = Math.floor((at * span * MINUTE_MS - first) / barMs)
        const before = bars[bar]
        if (before !== undefined) bars[bar] = added(before, result, records)
      }
      return { barMs, bars, countedFrom: null }
    }
    return this.#counted(question, barMs, bars)
  }

  /**
   * What records say for a field and begins so, the most frequent first; only what stands in records that the person may
   * see.
   */
  async values(
    field: HistoryField,
    begun: string,
    visible: Omit<HistoryQuestion, 'filter'>,
    limit: number,
  ): Promise<readonly string[]> {
    const { store } = this.#options
    const terms = await store.terms(field, begun.toLowerCase(), true, limit * 3)
    const groups = await this.#visibleGroups({ ...visible, reads: true })
    if (groups === null) return []
    const found: string[] = []
    for (const term of terms) {
      if (term.value === noCluster) continue
      const seek = {
        groups: [[term.id], ...groups],
        without: [],
        from: Math.max(0, this.position - RECENT),
        to: this.position,
      }
      if ((await store.positions(seek, 'desc', 1)).length > 0) found.push(term.shown)
      if (found.length === limit) break
    }
    return found
  }

  /** The records of a person around one, oldest first. */
  async around(position: number, question: HistoryQuestion, each: number): Promise<readonly AuditRecord[]> {
    const seek = await this.#seekOf(question)
    if (seek === null) return []
    const { store } = this.#options
    const [before, after] = await Promise.all([
      store.positions({ ...seek, from: 0, to: position - 1 }, 'desc', each),
      store.positions({ ...seek, from: position + 1, to: Number.MAX_SAFE_INTEGER }, 'asc', each),
    ])
    const records = await this.#records([...before.toReversed(), ...after], [])
    return records.map(({ record }) => record)
  }

  /** All that is asked for, oldest first, as it is kept and in pieces: for an export of any length. */
  async *lines(question: HistoryQuestion): AsyncGenerator<readonly StoredLine[]> {
    const { history, store } = this.#options
    const { words } = question.filter
    const range = await this.#rangeOf(question.filter)
    const judge = this.#judgeOf(question)
    const noted = this.position
    const seek = await this.#seekOf(question)
    const last = seek === null ? -1 : Math.min(noted, range.to)
    let width = FIRST_WIDTH
    for (let from = range.from; from <= last;) {
      const to = Math.min(last, from + width - 1)
      const positions = await store.positions({ ...(seek ?? nothing), from, to }, 'asc', EXPORT_CHUNK)
      const isWhole = positions.length < EXPORT_CHUNK
      if (isWhole && positions.length < EXPORT_CHUNK / 2) width *= 2
      from = (isWhole ? to : (positions.at(-1) ?? to)) + 1
      const lines = await history.at(positions)
      const kept = lines.filter((line) => hasWords(words, line.text) && judge.isTimely(line.at))
      if (kept.length > 0) yield kept.toSorted((a, b) => a.position - b.position)
    }
    for (let position = Math.max(noted, range.from - 1); ;) {
      const lines = await history.after(position, EXPORT_CHUNK)
      const kept = lines.filter(({ text }) => {
        const record = parseRecord(text)
        return record !== undefined && judge.fits(record, text)
      })
      if (kept.length > 0) yield kept
      position = lines.at(-1)?.position ?? position
      if (lines.length < EXPORT_CHUNK) return
    }
  }

  /** The times of a stretch in which records are missing, newest first; each record says which. */
  async gaps({ clusters, withoutCluster, from, to }: HistoryQuestion & { from: number; to: number }, limit: number) {
    const { store } = this.#options
    const gaps = (await Promise.all(gapActions.map((action) => store.terms('what', action, false, 1)))).flat()
    const places = await this.#visibleGroups({ clusters, withoutCluster, reads: true })
    if (gaps.length === 0 || places === null) return []
    // A gap is recorded when it is over, which may be long after it began.
    const first = (await store.firstSince(Math.floor(from / MINUTE_MS))) ?? this.position + 1
    const seek = { groups: [gaps.map(({ id }) => id), ...places], without: [], from: first, to: this.position }
    const records = await this.#records(await store.positions(seek, 'desc', limit), [])
    return records.flatMap(({ record: { during, up } }) =>
      during !== undefined && Date.parse(during.from) < to && Date.parse(during.to) >= from ? [{ during, up }] : [],
    )
  }

  async #counted(question: HistoryQuestion, barMs: number, bars: HistoryBar[]): Promise<Histogram> {
    const { clock, budgetMs, store } = this.#options
    const endsAt = clock.monotonic() + budgetMs
    const seek = await this.#seekOf(question)
    if (seek === null) return { barMs, bars, countedFrom: null }
    const results = new Map<number, HistoryResult>()
    for (const term of await store.terms('result', '', true, 20)) {
      const result = historyResults.find((word) => word === term.value)
      if (result !== undefined) results.set(term.id, result)
    }
    let after = this.position + 1
    for (let at = bars.length - 1; at >= 0; at -= 1) {
      const bar = bars[at]
      if (bar === undefined) break
      const next = bars[at + 1]
      if (next === undefined) after = (await store.firstSince((bar.at + barMs) / MINUTE_MS)) ?? this.position + 1
      const first = (await store.firstSince(bar.at / MINUTE_MS)) ?? this.position + 1
      if (first < after) {
        const counts = await this.#countsOf(question, { ...seek, from: first, to: after - 1 }, [...results.keys()])
        for (const [term, records] of counts) bars[at] = added(bars[at] ?? bar, results.get(term) ?? 'ok', records)
      }
      after = first
      if (clock.monotonic() >= endsAt && at > 0) return { barMs, bars, countedFrom: bar.at }
    }
    return { barMs, bars, countedFrom: null }
  }

  /** Words stand in no index: what has them is counted one by one. */
  async #countsOf(
    { filter }: HistoryQuestion,
    seek: Seek,
    results: readonly number[],
  ): Promise<ReadonlyMap<number, number>> {
    const { store } = this.#options
    if (filter.words.length === 0) return store.counts(seek, results)
    const byWord = new Map<string, number>()
    const terms = await store.terms('result', '', true, 20)
    for (let to = seek.to; to >= seek.from;) {
      const positions = await store.positions({ ...seek, to }, 'desc', CHUNK)
      for (const { record } of await this.#records(positions, filter.words)) {
        const result = historyResult(record)
        byWord.set(result, (byWord.get(result) ?? 0) + 1)
      }
      if (positions.length < CHUNK) break
      to = (positions.at(-1) ?? 0) - 1
    }
    return new Map(terms.flatMap(({ id, value }) => (byWord.has(value) ? [[id, byWord.get(value) ?? 0]] : [])))
  }

  /** Looks at each record from a position back to another one. */
  async #walk(from: number, downTo: number, limit: number, judge: Judge, endsAt: number) {
    const { history, clock } = this.#options
    const records: AuditRecord[] = []
    let next = from
    for (;;) {
      const lines = await history.before(next === Infinity ? Number.MAX_SAFE_INTEGER : next + 1, CHUNK)
      for (const line of lines) {
        if (line.position <= downTo) return { records, next: downTo, late: false }
        next = line.position - 1
        const record = parseRecord(line.text)
        if (record === undefined || !judge.fits(record, line.text)) continue
        records.push(record)
        if (records.length === limit) return { records, next, late: false }
      }
      if (lines.length < CHUNK) return { records, next: Math.min(downTo, next), late: false }
      if (clock.monotonic() >= endsAt) return { records, next, late: true }
    }
  }

  async #records(positions: readonly number[], words: HistoryFilter['words']) {
    if (positions.length === 0) return []
    const lines = new Map<number, StoredLine>()
    for (const line of await this.#options.history.at(positions)) lines.set(line.position, line)
    const found: { record: AuditRecord; position: number }[] = []
    for (const position of positions) {
      const line = lines.get(position)
      if (line === undefined || !hasWords(words, line.text)) continue
      const record = parseRecord(line.text)
      if (record !== undefined) found.push({ record, position })
    }
    return found
  }

  #judgeOf({ filter, clusters, withoutCluster, reads }: HistoryQuestion): Judge {
    const { after, before } = this.#times(filter)
    const isTimely = (at: number): boolean => at >= after && at < before
    const isInTime = ({ ts }: AuditRecord): boolean => isTimely(Date.parse(ts))
    return {
      words: filter.words,
      isTimely,
      isInTime,
      fits: (record, text) =>
        isInTime(record) &&
        (record.cluster === null ? withoutCluster : clusters.includes(record.cluster)) &&
        (reads || !isQuiet(record)) &&
        fitsHistory(filter, historyFacts(record), text),
    }
  }

  #times({ after, before }: HistoryFilter): { readonly after: number; readonly before: number } {
    const now = this.#options.clock.now()
    return {
      after: after === null ? -Infinity : (historyInstant(after, now) ?? -Infinity),
      before: before === null ? Infinity : (historyInstant(before, now) ?? Infinity),
    }
  }

  /** Between which positions what is asked for can be. */
  async #rangeOf(filter: HistoryFilter): Promise<{ readonly from: number; readonly to: number }> {
    const { after, before } = this.#times(filter)
    const { store } = this.#options
    const minute = (at: number, slack: number) => store.firstSince(Math.floor(at / MINUTE_MS) + slack)
    const from = after === -Infinity ? 1 : ((await minute(after, -SLACK_MINUTES)) ?? this.position + 1)
    const to = before === Infinity ? null : await minute(before, SLACK_MINUTES)
    return { from, to: to === null ? Infinity : to - 1 }
  }

  async #pageOf(
    records: readonly AuditRecord[],
    from: number,
    { order, limit }: HistoryPageQuestion,
    range: { readonly from: number; readonly to: number },
  ): Promise<Omit<HistoryPage, 'tookMs'>> {
    const isDone = order === 'newest' ? from < range.from : from > range.to
    if (isDone) return { records, next: null, searchedTo: null }
    const next = cursorAt(from)
    if (records.length === limit) return { records, next, searchedTo: null }
    const [line] = await this.#options.history.before(from + 1, 1)
    const seen = line === undefined ? undefined : parseRecord(line.text)
    return line === undefined
      ? { records, next: null, searchedTo: null }
      : { records, next, searchedTo: seen?.ts ?? new Date(line.at).toISOString() }
  }

  /** What is asked for, as terms; null when no record can fit. */
  async #seekOf(question: HistoryQuestion): Promise<Pick<Seek, 'groups' | 'without'> | null> {
    const groups: KnownTerm[][] = []
    const without: number[] = []
    for (const { field, not, values } of question.filter.clauses) {
      const terms: KnownTerm[] = []
      for (const { text, begins } of values) {
        terms.push(...(await this.#options.store.terms(field, text.toLowerCase(), begins, MOST_VALUES + 1)))
      }
      if (terms.length > MOST_VALUES) {
        throw new FilterRefused(`More than ${MOST_VALUES} values of “${field}:” begin so. Write more of it.`)
      }
      if (not) without.push(...terms.map(({ id }) => id))
      else if (terms.length === 0) return null
      else groups.push(terms)
    }
    const visible = await this.#visibleTerms(question)
    if (visible === null) return null
    const all = [...groups, ...visible].toSorted((a, b) => recordsIn(a) - recordsIn(b))
    return { groups: all.map((terms) => terms.map(({ id }) => id)), without }
  }

  async #visibleGroups(question: Omit<HistoryQuestion, 'filter'>): Promise<readonly (readonly number[])[] | null> {
    const terms = await this.#visibleTerms(question)
    return terms?.map((group) => group.map(({ id }) => id)) ?? null
  }

  async #visibleTerms({
    clusters,
    withoutCluster,
    reads,
  }: Omit<HistoryQuestion, 'filter'>): Promise<KnownTerm[][] | null> {
    const { store } = this.#options
    const names = [...clusters.map((name) => name.toLowerCase()), ...(withoutCluster ? [noCluster] : [])]
    const places = (await Promise.all(names.map((name) => store.terms('cluster', name, false, 1)))).flat()
    if (places.length === 0) return null
    if (reads) return [places]
    const loud = await store.terms('quiet', quietWord(false), false, 1)
    return loud.length === 0 ? null : [places, [...loud]]
  }
}

/** What records are called that say when others are missing. */
const gapActions = ['events.gap', 'requests.gap']

const nothing = { groups: [], without: [] }

/** Among so many of the newest records values are offered from. */
const RECENT = 200_000

interface Judge {
  readonly words: HistoryFilter['words']
  readonly isTimely: (at: number) => boolean
  readonly isInTime: (record: AuditRecord) => boolean
  readonly fits: (record: AuditRecord, text: string) => boolean
}

function recordsIn(terms: readonly KnownTerm[]): number {
  return terms.reduce((sum, { records }) => sum + records, 0)
}

function added(bar: HistoryBar, result: HistoryResult, records: number): HistoryBar {
  return {
    at: bar.at,
    records: bar.records + records,
    refused: bar.refused + (result === 'refused' ? records : 0),
    failed: bar.failed + (result === 'failed' || result === 'unknown' ? records : 0),
  }
}

/** Bars begin at whole minutes, hours or days, so that what was counted for those can be added up. */
function barsOf({ from, to, bars }: { from: number; to: number; bars: number }) {
  const minutes = Math.max(1, (to - from) / MINUTE_MS / bars)
  const span = tallySpans.findLast((one) => one <= minutes) ?? 1
  const barMs = Math.ceil(minutes / span) * span * MINUTE_MS
  const first = Math.floor(from / barMs) * barMs
  return { span, barMs, first, end: Math.ceil(to / barMs) * barMs }
}

/** What was counted when it was recorded: all, one view, some results. Null where the filter asks for more. */
function countedView({
  clauses,
  words,
}: HistoryFilter): { view: string; results: readonly HistoryResult[] | null } | null {
  if (words.length > 0) return null
  let view = ''
  let results: readonly HistoryResult[] | null = null
  for (const { field, not, values } of clauses) {
    const said = values.map(({ text }) => text.toLowerCase())
    if (field === 'view' && !not && said.length === 1) view = said[0] ?? ''
    else if (field === 'result') results = historyResults.filter((word) => said.includes(word) !== not)
    else return null
  }
  return { view, results }
}

function cursorAt(position: number): string {
  return Buffer.from(`p${position}`).toString('base64url')
}

/** A cursor that is none begins anew: it says nothing that has to be believed. */
function positionOf(cursor: string | null, order: 'newest' | 'oldest'): number | null {
  if (cursor === null) return null
  const text = /^p(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'))
  return text === null ? (order === 'newest' ? null : 0) : Number(text[1])
}
