/**
 * The language in which the access history is asked: `who:jo@example.net result:refused after:24h "db-01"`. Fields in any
 * order; a field that stands several times asks for any of its values, different fields for all of them; `-` before one
 * asks for what is not so; a `*` at the end stands for whatever follows; the rest is looked for in the whole record.
 */

/** What a record can be asked for by value. */
export const historyFields = [
  'who',
  'what',
  'to',
  'on',
  'via',
  'from',
  'result',
  'project',
  'cluster',
  'source',
  'view',
] as const
export type HistoryField = (typeof historyFields)[number]

/** How it went: done, not allowed, tried in vain, nobody knows, or said to begin and not yet said to have ended. */
export const historyResults = ['ok', 'refused', 'failed', 'unknown', 'begun'] as const
export type HistoryResult = (typeof historyResults)[number]

/** What people look for so often that it is counted when it is recorded. */
export const historyViews = ['trust', 'admin', 'terminals', 'new-address', 'outside'] as const
export type HistoryView = (typeof historyViews)[number]

export interface HistoryValue {
  readonly text: string
  /** Written with a `*` at its end: what begins so. */
  readonly begins: boolean
}

export interface HistoryClause {
  readonly field: HistoryField
  /** `-who:jo`: all but these. */
  readonly not: boolean
  readonly values: readonly HistoryValue[]
}

export interface HistoryFilter {
  /** One for each field and sign, in the order of `historyFields`. */
  readonly clauses: readonly HistoryClause[]
  /** Looked for anywhere in the record, whatever their case. */
  readonly words: readonly { readonly text: string; readonly not: boolean }[]
  /** As written: an instant, a day, or how long ago. Null: from the beginning. */
  readonly after: string | null
  /** The same. Null: until now. */
  readonly before: string | null
}

/** What is wrong with a text, for the person who wrote it, and where. */
export interface HistoryFilterProblem {
  readonly message: string
  /** Position of the first character that is meant, from 0. */
  readonly at: number
  readonly length: number
}

export type ParsedHistoryFilter =
  | { readonly ok: true; readonly filter: HistoryFilter }
  | { readonly ok: false; readonly problem: HistoryFilterProblem }

export const everything: HistoryFilter = { clauses: [], words: [], after: null, before: null }

/** More is a mistake, or an attempt to keep the console busy. */
const mostCharacters = 1_000
const mostParts = 50

/** Reads a filter. Never throws. */
export function parseHistoryFilter(text: string): ParsedHistoryFilter {
  if (text.length > mostCharacters) {
    return wrong(`A filter has at most ${mostCharacters} characters.`, mostCharacters, text.length - mostCharacters)
  }
  const clauses: HistoryClause[] = []
  const words: HistoryFilter['words'][number][] = []
  const times: { after: string | null; before: string | null } = { after: null, before: null }
  const parts = historyFilterParts(text)
  if (parts.length > mostParts) return wrong(`A filter has at most ${mostParts} parts.`, 0, text.length)
  for (const part of parts) {
    const { field, not, value, at, length } = part
    if (!part.closed) return wrong('A quotation mark is missing at the end.', at, length)
    if (field === null) {
      if (value.text !== '') words.push({ text: value.text, not })
      continue
    }
    if (!isAskable(field)) return wrong(unknownField(field), at, field.length + (not ? 1 : 0))
    if (value.text === '' && !value.begins) return wrong(`What “${field}:” is to be is missing.`, at, length)
    if (field === 'after' || field === 'before') {
      const problem = timeProblem(field, part, times[field])
      if (problem !== undefined) return wrong(problem, at, length)
      times[field] = value.text
      continue
    }
    const problem = valueProblem(field, value)
    if (problem !== undefined) return wrong(problem, at, length)
    clauses.push({ field, not, values: [value] })
  }
  return { ok: true, filter: { ...times, clauses: merged(clauses), words: withoutDoubles(words) } }
}

/** The one way to write a filter: what is read from it again is the same filter. Empty for `everything`. */
export function formatHistoryFilter({ clauses, words, after, before }: HistoryFilter): string {
  return [
    ...clauses.flatMap(({ field, not, values }) =>
      values.map((value) => `${not ? '-' : ''}${field}:${written(value)}`),
    ),
    ...(after === null ? [] : [`after:${after}`]),
    ...(before === null ? [] : [`before:${before}`]),
    ...words.map(({ text, not }) => `${not ? '-' : ''}${writtenWord(text)}`),
  ].join(' ')
}

/** The filter with one more value asked for: what a click on it does. What was asked of the field before gives way. */
export function withHistoryValue(filter: HistoryFilter, field: HistoryField, text: string): HistoryFilter {
  const others = filter.clauses.filter((clause) => clause.field !== field)
  const clause: HistoryClause = { field, not: false, values: [{ text, begins: false }] }
  return { ...filter, clauses: merged([...others, clause]) }
}

/**
 * When a time of a filter is, in milliseconds since 1970: `2026-11-22` and `2026-11-22T14:00` in UTC, `90m`, `24h`, `30d`
 * before `now`. Undefined where it is none.
 */
export function historyInstant(text: string, now: number): number | undefined {
  const ago = /^(\d{1,5})(m|h|d|w)$/.exec(text)
  if (ago !== null) return now - Number(ago[1]) * unitMs(ago[2])
  const iso = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)Z?)?$/.exec(text)
  if (iso === null) return undefined
  const at = Date.parse(`${iso[1]}T${iso[2] ?? '00:00'}Z`)
  return Number.isNaN(at) ? undefined : at
}

/** What a record says for each field; what it does not say is absent. A record can be in several views. */
export type HistoryFacts = Readonly<Partial<Record<Exclude<HistoryField, 'view'>, string>>> & {
  readonly view: readonly HistoryView[]
}

/** Whether a record fits. `text` is the record as it is stored; the words are looked for in it. Times are not looked at. */
export function fitsHistory({ clauses, words }: HistoryFilter, facts: HistoryFacts, text: string): boolean {
  const fits = clauses.every(({ field, not, values }) => {
    const said = field === 'view' ? facts.view : facts[field]
    return values.some((value) => isSaid(said, value)) !== not
  })
  return fits && hasWords(words, text)
}

/** Whether a record says all the words, and none of those it is not to say. */
export function hasWords(words: HistoryFilter['words'], text: string): boolean {
  if (words.length === 0) return true
  const lower = text.toLowerCase()
  return words.every((word) => lower.includes(word.text.toLowerCase()) !== word.not)
}

/** What stands at the caret and could be completed. */
export interface HistoryCompletion {
  /** The field whose values are to be offered; null: names of fields. */
  readonly field: HistoryField | 'after' | 'before' | null
  readonly begun: string
  /** What a choice replaces. */
  readonly from: number
  readonly to: number
}

/** What can be completed where the caret is: a field's name, or a value of it. */
export function historyCompletion(text: string, caret: number): HistoryCompletion {
  const part = historyFilterParts(text).find(({ at, length }) => at <= caret && caret <= at + length)
  if (part === undefined) return { field: null, begun: '', from: caret, to: caret }
  const { at, length, not } = part
  const from = at + (not ? 1 : 0)
  const to = at + length
  if (part.field === null || !isAskable(part.field)) {
    return { field: null, begun: text.slice(from, caret), from, to }
  }
  const valueFrom = from + part.field.length + 1
  // The caret is still in the name of the field.
  if (caret < valueFrom) return { field: null, begun: text.slice(from, caret), from, to: valueFrom }
  return { field: part.field, begun: text.slice(valueFrom, caret).replace(/^"/, ''), from: valueFrom, to }
}

/** A value as it is written in a filter: in quotation marks where it needs them. */
export function writtenHistoryValue(text: string): string {
  return written({ text, begins: false })
}

interface Part {
  readonly field: string | null
  readonly not: boolean
  readonly value: HistoryValue
  readonly at: number
  readonly length: number
  /** Whether each quotation mark has its second one. */
  readonly closed: boolean
}

/** `-field:"a value"*`, or a word; the expression takes what is not closed as well, so that it can be said. */
const partForm = /(-)?(?:([a-z]+):)?(?:"((?:[^"\\]|\\.)*)("?)(\*)?|([^\s"]*))/gy

function historyFilterParts(text: string): readonly Part[] {
  const parts: Part[] = []
  let at = 0
  while (at < text.length) {
    if (/\s/.test(text.charAt(at))) {
      at += 1
      continue
    }
    partForm.lastIndex = at
    const found = partForm.exec(text)
    const [whole = '', minus, field, quoted, end, star, bare] = found ?? []
    // A sign that begins nothing, such as `-` at the very end, is a word of its own.
    const length = Math.max(whole.length, 1)
    const isQuoted = quoted !== undefined
    const raw = isQuoted ? unescaped(quoted) : (bare ?? '')
    const isField = field !== undefined
    const begins = isQuoted ? star === '*' : isField && raw.endsWith('*')
    parts.push({
      field: field ?? null,
      not: minus === '-',
      value: { text: !isQuoted && begins ? raw.slice(0, -1) : raw, begins },
      at,
      length,
      closed: !isQuoted || end === '"',
    })
    at += length
  }
  return parts
}

function wrong(message: string, at: number, length: number): ParsedHistoryFilter {
  return { ok: false, problem: { message, at, length } }
}

const askable: ReadonlySet<string> = new Set([...historyFields, 'after', 'before'])

function isAskable(field: string): field is HistoryField | 'after' | 'before' {
  return askable.has(field)
}

function unknownField(field: string): string {
  return `There is no field “${field}”. There are ${[...askable].join(', ')}. To look for the text itself, put it in quotation marks.`
}

function timeProblem(field: string, { value, not }: Part, before: string | null): string | undefined {
  if (not) return `“-${field}:” cannot be asked; use the other one of after and before.`
  if (before !== null) return `“${field}:” stands twice.`
  if (value.begins || historyInstant(value.text, 0) === undefined) {
    return `“${value.text}” is no time. Write 2026-11-22, 2026-11-22T14:00 (UTC), or how long ago: 90m, 24h, 30d, 4w.`
  }
  return undefined
}

const closed: Partial<Record<HistoryField, readonly string[]>> = {
  result: historyResults,
  source: ['console', 'incus'],
  view: historyViews,
}

function valueProblem(field: HistoryField, value: HistoryValue): string | undefined {
  const words = closed[field]
  if (words === undefined) return undefined
  if (value.begins) return `“${field}:” takes no *. It is one of ${words.join(', ')}.`
  return words.includes(value.text.toLowerCase())
    ? undefined
    : `“${value.text}” is no ${field}. It is one of ${words.join(', ')}.`
}

function merged(clauses: readonly HistoryClause[]): readonly HistoryClause[] {
  return historyFields.flatMap((field) =>
    [false, true].flatMap((not) => {
      const values = clauses.filter((clause) => clause.field === field && clause.not === not).flatMap((it) => it.values)
      return values.length === 0 ? [] : [{ field, not, values: withoutDoubles(values) }]
    }),
  )
}

function withoutDoubles<T>(values: readonly T[]): readonly T[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()]
}

function isSaid(said: string | readonly string[] | undefined, { text, begins }: HistoryValue): boolean {
  if (said === undefined) return false
  if (typeof said !== 'string') return said.some((one) => isSaid(one, { text, begins }))
  const lower = said.toLowerCase()
  return begins ? lower.startsWith(text.toLowerCase()) : lower === text.toLowerCase()
}

function written({ text, begins }: HistoryValue): string {
  const isPlain = /^[^\s"\\]+$/.test(text) && !text.endsWith('*')
  return `${isPlain || (text === '' && begins) ? text : quoted(text)}${begins ? '*' : ''}`
}

function writtenWord(text: string): string {
  return /^[^\s"\\-][^\s"\\]*$/.test(text) && !/^[a-z]+:/.test(text) ? text : quoted(text)
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/gs, '$1')
}

function unitMs(unit: string | undefined): number {
  const minute = 60_000
  return { m: minute, h: 60 * minute, d: 1_440 * minute, w: 10_080 * minute }[unit ?? ''] ?? minute
}
