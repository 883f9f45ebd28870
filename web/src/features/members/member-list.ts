import type { Member } from '@malleus/shared/api/members.ts'
import { badness } from '@malleus/shared/domain/health.ts'
import type { MemberColumn } from '../../components/member-columns.tsx'
import { isUsable, needsAttention, stateOf } from '../../components/member-words.ts'
import { columnsFrom, sortFrom, sortText } from '../../components/table-choice.ts'
import { byName } from '../../lib/by-name.ts'
import { plural } from '../../lib/plural.ts'
import type { Sort } from '../../ui/Table.tsx'

/** Which servers the table shows, in which order, with which columns: what the link and the person ask for. */

export const allColumns: readonly MemberColumn[] = [
  'server',
  'address',
  'health',
  'reported',
  'answer',
  'roles',
  'groups',
  'failureDomain',
  'load',
  'memory',
  'instances',
  'certificate',
  'history',
  'actions',
]
/** Always there: what a row is, how it is, and what can be done with it. */
export const fixedColumns: readonly MemberColumn[] = ['server', 'health', 'actions']

/** What was chosen, in the usual order; where nothing was, all that a window of usual width has room for. */
export function shownColumns(chosen: readonly string[] | null): readonly MemberColumn[] {
  if (chosen === null) return allColumns.filter((column) => column !== 'address')
  return columnsFrom(allColumns, fixedColumns, chosen)
}

const usual: Sort = { column: 'server', descending: false }

export function parseSort(text: string | undefined): Sort {
  return sortFrom(text, orders, usual)
}

export function formatSort(sort: Sort): string | undefined {
  return sortText(sort, usual)
}

/** Each word has to be found somewhere in the row; `attention` leaves only those a person should look at. */
export function filterMembers(members: readonly Member[], query: string, attention: boolean): readonly Member[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  return members.filter((member) => {
    if (attention && !needsAttention(member)) return false
    const text = searchText(member)
    return words.every((word) => text.includes(word))
  })
}

function searchText(member: Member): string {
  const { value } = member.reported
  const said =
    value === null
      ? []
      : [
          value.status,
          value.failureDomain,
          value.description,
          ...value.roles,
          ...value.groups.map((name) => `@${name}`),
        ]
  return [member.name, member.address, stateOf(member).word, ...said].join(' ').toLowerCase()
}

/** What is not known comes last, whichever way it is sorted; equal rows stand by name. */
export function sortMembers(members: readonly Member[], { column, descending }: Sort): readonly Member[] {
  const order = orders[column] ?? orders['server']
  if (order === undefined) return members
  const sign = descending ? -1 : 1
  return members.toSorted((a, b) => {
    const [x, y] = [order(a), order(b)]
    if (x === null || y === null) return Number(x === null) - Number(y === null) || byName(a.name, b.name)
    return sign * compare(x, y) || byName(a.name, b.name)
  })
}

type Key = string | number | null
const orders: Readonly<Record<string, (member: Member) => Key>> = {
  server: ({ name }) => name,
  health: (member) => -badness(member.health.standing) - (needsAttention(member) ? 0.5 : 0),
  address: ({ address }) => address,
  reported: ({ reported }) => reported.value?.status ?? null,
  failureDomain: ({ reported }) => reported.value?.failureDomain ?? null,
  // A server that does not answer is slower than every one that does.
  answer: (member) => (isUsable(member) ? member.health.answerMs : Number.POSITIVE_INFINITY),
  load: ({ load }) => (load.value === null ? null : load.value.average1 / Math.max(1, load.value.cores)),
  memory: ({ memory }) =>
    memory.value === null ? null : memory.value.usedBytes / Math.max(1, memory.value.totalBytes),
  instances: ({ instances }) => instances.value?.count ?? null,
  certificate: ({ presented }) => (presented === null ? null : Date.parse(presented.expiresAt)),
}

function compare(a: string | number, b: string | number): number {
  return typeof a === 'number' && typeof b === 'number' ? (a === b ? 0 : a - b) : byName(String(a), String(b))
}

/** "50 servers. 2 need attention." with what the filter leaves. */
export function describeList(all: readonly Member[], shown: number): string {
  const attention = all.filter(needsAttention).length
  const servers = plural(all.length, 'server')
  const count = shown === all.length ? servers : `${shown} of ${servers}`
  const state = attention === 0 ? 'All well.' : attention === 1 ? '1 needs attention.' : `${attention} need attention.`
  return `${count}. ${state}`
}
