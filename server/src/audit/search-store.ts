import type { HistoryField, HistoryResult } from '@malleus/shared/domain/history-filter.ts'

/** What a term is of: a field of the filter, and what only the search asks for. */
export type TermField = HistoryField | 'quiet' | 'entry'

export interface Term {
  readonly field: TermField
  /** In lower case. */
  readonly value: string
  /** As it was said. */
  readonly shown: string
}

export interface KnownTerm extends Term {
  readonly id: number
  /** In how many records it stands, so far. */
  readonly records: number
}

/** What is added for some records, all or nothing. */
export interface SearchBatch {
  readonly postings: readonly { readonly term: number; readonly position: number }[]
  readonly minutes: readonly { readonly minute: number; readonly position: number }[]
  readonly tallies: readonly Tally[]
  /** The last of the records. */
  readonly position: number
}

/** `at` in spans since 1970, `span` in minutes. Cluster and view are empty for none and for all. */
export interface Tally {
  readonly span: number
  readonly cluster: string
  readonly view: string
  readonly quiet: boolean
  readonly at: number
  readonly result: HistoryResult
  readonly records: number
}

/** Which records are sought: those that say one term of each group and none of `without`, between two positions. */
export interface Seek {
  readonly groups: readonly (readonly number[])[]
  readonly without: readonly number[]
  /** Both included. */
  readonly from: number
  readonly to: number
}

export interface TallyQuestion {
  readonly span: number
  readonly clusters: readonly string[]
  readonly view: string
  readonly quiet: readonly boolean[]
  readonly results: readonly HistoryResult[] | null
  /** In spans since 1970; the end is not included. */
  readonly from: number
  readonly to: number
}

/** Where it is kept what the access history is asked by. Made from the records, and made anew when it is lost. */
export interface SearchStore {
  /** Up to which record it was made; 0 at first, and after `forget`. */
  progress(rules: number): Promise<number>
  /** Empties it, for other rules. */
  forget(rules: number): Promise<void>
  /** The ids of terms, in this order; those that are new get one. */
  idsOf(terms: readonly Term[]): Promise<readonly number[]>
  add(batch: SearchBatch): Promise<void>
  /** Terms with this value, or that begin so, the most frequent ones first. */
  terms(field: TermField, value: string, begins: boolean, limit: number): Promise<readonly KnownTerm[]>
  /** The first record that says a term; null where none does. */
  firstOf(term: number): Promise<number | null>
  /** Positions in the order that is asked for. */
  positions(seek: Seek, order: 'asc' | 'desc', limit: number): Promise<readonly number[]>
  /** How many, by one term each of `by`. */
  counts(seek: Seek, by: readonly number[]): Promise<ReadonlyMap<number, number>>
  tallies(question: TallyQuestion): Promise<readonly { at: number; result: HistoryResult; records: number }[]>
  /** The first position at or after the begin of a minute; null where nothing came since. */
  firstSince(minute: number): Promise<number | null>
}
