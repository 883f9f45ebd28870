import type { Finding } from '@malleus/shared/api/finding.ts'
import type { PendingToken, TrustEntry } from '@malleus/shared/api/trust.ts'
import { columnsFrom, sortFrom, sortText } from '../../components/table-choice.ts'
import { plural } from '../../lib/plural.ts'
import type { Sort } from '../../ui/Table.tsx'
import type { TrustColumn } from './trust-columns.tsx'
import { mayDo, typeWords } from './trust-words.ts'

/** Which entries the table shows, in which order, with which columns: what the link and the person ask for. */

export const allColumns: readonly TrustColumn[] = [
  'pick',
  'name',
  'type',
  'may',
  'state',
  'used',
  'expires',
  'key',
  'issuer',
  'fingerprint',
]
/** Always there: what a row is, and how it is chosen. */
export const fixedColumns: readonly TrustColumn[] = ['pick', 'name']
const chosenAtFirst: readonly TrustColumn[] = ['type', 'may', 'state', 'used', 'expires', 'key', 'fingerprint']

export function shownColumns(chosen: readonly string[] | null): readonly TrustColumn[] {
  return columnsFrom(allColumns, fixedColumns, chosen ?? chosenAtFirst)
}

const usual: Sort = { column: 'name', descending: false }

export function parseSort(text: string | undefined): Sort {
  return sortFrom(text, orders, usual)
}

export function formatSort(sort: Sort): string | undefined {
  return sortText(sort, usual)
}

export const kinds = ['client', 'metrics', 'server', 'restricted', 'attention'] as const
export type Kind = (typeof kinds)[number]

export const kindNames: readonly { readonly id: Kind; readonly text: string }[] = [
  { id: 'client', text: 'Clients' },
  { id: 'metrics', text: 'Metrics' },
  { id: 'restricted', text: 'Restricted' },
  { id: 'attention', text: 'Needs attention' },
  { id: 'server', text: 'Servers among themselves' },
]

/** Entries of servers are shown when they are asked for: nobody gave them out, and they leave with their server. */
export function filterEntries(
  entries: readonly TrustEntry[],
  { query, kind }: { readonly query: string; readonly kind: Kind | undefined },
): readonly TrustEntry[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  return entries.filter((entry) => {
    if (!isKind(entry, kind)) return false
    const { name, fingerprint, type, projects, certificate, description } = entry
    const text = [name, fingerprint, typeWords[type], mayDo(entry), ...projects, description]
      .concat(certificate === null ? [] : [certificate.subject, certificate.issuer, certificate.key])
      .concat(entry.findings.map((finding) => finding.text))
      .join('\n')
      .toLowerCase()
    return words.every((word) => text.includes(word))
  })
}

function isKind(entry: TrustEntry, kind: Kind | undefined): boolean {
  if (kind === 'server') return entry.type === 'server'
  if (entry.type === 'server') return false
  if (kind === undefined) return true
  if (kind === 'restricted') return entry.restricted
  if (kind === 'attention') return worstOf(entry) !== null
  return entry.type === kind
}

/** The worst thing about an entry that needs somebody; a remark does not. */
export function worstOf({ findings }: Pick<TrustEntry, 'findings'>): Finding | null {
  return (
    findings.find(({ severity }) => severity === 'bad') ??
    findings.find(({ severity }) => severity === 'warning') ??
    null
  )
}

export function sortEntries(entries: readonly TrustEntry[], { column, descending }: Sort): readonly TrustEntry[] {
  const order = orders[column] ?? orders['name']
  const sign = descending ? -1 : 1
  return entries.toSorted((a, b) => {
    const [x, y] = [order?.(a) ?? '', order?.(b) ?? '']
    // What is not known comes last, whichever way it is sorted.
    if (x === '' || y === '') return Number(x === '') - Number(y === '') || byName(a, b)
    return sign * compare(x, y) || byName(a, b)
  })
}

const orders: Readonly<Record<string, (entry: TrustEntry) => string>> = {
  name: ({ name }) => name,
  type: ({ type }) => typeWords[type],
  may: mayDo,
  state: (entry) => {
    const { severity = 'none' } = worstOf(entry) ?? {}
    return String(['bad', 'warning', 'none'].indexOf(severity))
  },
  used: ({ lastUse }) => lastUse?.at ?? '',
  expires: ({ certificate }) => certificate?.expiresAt ?? '',
  key: ({ certificate }) => certificate?.key ?? '',
  issuer: ({ certificate }) => certificate?.issuer ?? '',
  fingerprint: ({ fingerprint }) => fingerprint,
}

function byName(a: TrustEntry, b: TrustEntry): number {
  return compare(a.name, b.name) || compare(a.fingerprint, b.fingerprint)
}

function compare(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}

/** "12 clients, 3 of them restricted. 2 tokens are pending." */
export function describeTrust(entries: readonly TrustEntry[], tokens: readonly PendingToken[], shown: number): string {
  const clients = entries.filter(({ type }) => type !== 'server')
  const restricted = clients.filter((entry) => entry.restricted).length
  const count =
    shown === clients.length ? plural(clients.length, 'client') : `${shown} of ${plural(clients.length, 'client')}`
  const some = restricted === 0 ? '' : `, ${restricted === clients.length ? 'all' : restricted} restricted`
  const pending = tokens.length === 0 ? '' : ` ${plural(tokens.length, 'token')} pending.`
  return `${count}${some}.${pending}`
}
