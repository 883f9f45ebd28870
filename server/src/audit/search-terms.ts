import type { AuditRecord } from '@malleus/shared/api/audit.ts'
import { historyFacts, historyResult, isSignIn } from '@malleus/shared/domain/history-facts.ts'
import { historyFields } from '@malleus/shared/domain/history-filter.ts'
import { isQuiet } from './record.ts'
import type { Tally, Term, TermField } from './search-store.ts'

/** Counts up whenever other terms or tallies are made of a record: what was made by other rules is made anew. */
export const searchRules = 1

/** By this value of `cluster` records are asked for that belong to none; no cluster can be named so. */
export const noCluster = '\0'

const MINUTE_MS = 60_000

/** By what a record can be found. */
export function termsOf(record: AuditRecord): readonly Term[] {
  const facts = historyFacts(record)
  const terms = historyFields.flatMap((field): Term[] => {
    const said = field === 'view' ? facts.view : facts[field]
    const values = said === undefined ? [] : typeof said === 'string' ? [said] : said
    return values.map((value) => termOf(field, value))
  })
  if (record.cluster === null) terms.push(termOf('cluster', noCluster))
  terms.push(termOf('quiet', quietWord(isQuiet(record))))
  const entry = entryOf(record)
  return entry === null ? terms : [...terms, entry]
}

/** Who came in from where, of which the first is a sign-in from a new address; null where nobody came in. */
export function entryOf(record: AuditRecord): Term | null {
  if (!isSignIn(record) || record.src.ip === null) return null
  return termOf('entry', `${record.actor?.iss ?? ''} ${record.actor?.sub ?? ''} ${record.src.ip}`)
}

export const newAddress: Term = termOf('view', 'new-address')

/** How often a record counts, and where: with all others, and with those of each view that it is in. */
export function talliesOf(record: AuditRecord, views: readonly string[]): readonly Tally[] {
  const minute = minuteOf(record)
  const said = { cluster: record.cluster ?? '', quiet: isQuiet(record), result: historyResult(record), records: 1 }
  return ['', ...views].flatMap((view) =>
    tallySpans.map((span) => ({ ...said, view, span, at: Math.floor(minute / span) })),
  )
}

/** In minutes. */
export const tallySpans = [1, 60, 1_440] as const

/** When it was recorded, in minutes since 1970. */
export function minuteOf({ ts }: Pick<AuditRecord, 'ts'>): number {
  return Math.floor(Date.parse(ts) / MINUTE_MS)
}

export function quietWord(quiet: boolean): string {
  return quiet ? 'yes' : 'no'
}

function termOf(field: TermField, value: string): Term {
  return { field, value: value.toLowerCase(), shown: value }
}
