import { isFinished, type Operation } from '@malleus/shared/api/operations.ts'
import { operationName } from '../../components/operation-words.ts'
import { columnsFrom, sortFrom, sortText } from '../../components/table-choice.ts'
import { plural } from '../../lib/plural.ts'
import type { Sort } from '../../ui/Table.tsx'
import type { OperationColumn } from './operation-columns.tsx'
import { stateName, stateNames, tookMs, type StateName } from './operation-state.ts'
import { objectsOf } from './resource-words.ts'

/** Which operations the table shows, in which order, with which columns: what the link and the person ask for. */

export const allColumns: readonly OperationColumn[] = [
  'what',
  'state',
  'objects',
  'progress',
  'location',
  'project',
  'who',
  'began',
  'took',
  'ended',
]
/** Always there: what a row is, and how it is. */
export const fixedColumns: readonly OperationColumn[] = ['what', 'state']
const chosenAtFirst: readonly OperationColumn[] = ['objects', 'progress', 'location', 'project', 'who', 'began', 'took']

/** What was chosen, in the usual order; where nothing was, what a window of usual width has room for. */
export function shownColumns(chosen: readonly string[] | null): readonly OperationColumn[] {
  return columnsFrom(allColumns, fixedColumns, chosen ?? chosenAtFirst)
}

/** What runs first, then what began last. */
const usual: Sort = { column: 'began', descending: true }

export function parseSort(text: string | undefined): Sort {
  return sortFrom(text, orders, usual)
}

export function formatSort(sort: Sort): string | undefined {
  return sortText(sort, usual)
}

export interface OperationFilter {
  readonly query: string
  readonly state: StateName | undefined
  readonly server: string | undefined
  readonly project: string | undefined
  /** A name, or `elsewhere`. */
  readonly who: string | undefined
}

/** What the link says for work that was not begun through this console. */
export const elsewhere = 'elsewhere'

/** Each word has to be found somewhere in the row, and each choice has to fit. */
export function filterOperations(operations: readonly Operation[], filter: OperationFilter): readonly Operation[] {
  const { query, state, server, project, who } = filter
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0 && (state ?? server ?? project ?? who) === undefined) return operations
  return operations.filter((row) => {
    if (state !== undefined && stateName(row) !== state) return false
    if (server !== undefined && row.location !== server) return false
    if (project !== undefined && row.project !== project) return false
    if (who !== undefined && (row.startedBy?.name ?? elsewhere) !== who) return false
    const text = searchText(row)
    return words.every((word) => text.includes(word))
  })
}

// What is worked out of a row once is kept as long as the row: with ten thousand of them each key that is pressed would
// else do it ten thousand times.
const searchTexts = new WeakMap<Operation, string>()

function searchText(row: Operation): string {
  const known = searchTexts.get(row)
  if (known !== undefined) return known
  const state = stateNames.find(({ id }) => id === stateName(row))?.text ?? ''
  const said = [operationName(row), row.description, state, row.location, row.project, row.startedBy?.name]
  const text = [...said, row.id, row.progress, row.error, ...objectsOf(row)].join('\n').toLowerCase()
  searchTexts.set(row, text)
  return text
}

/**
 * In the usual order what runs comes first. What is not known comes last, whichever way it is sorted; equal rows stand by
 * when they began.
 */
export function sortOperations(operations: readonly Operation[], sort: Sort): readonly Operation[] {
  const { column, descending } = sort
  const order = orders[column] ?? began
  const sign = descending ? -1 : 1
  const isUsual = column === usual.column && descending === usual.descending
  return operations.toSorted((a, b) => {
    if (isUsual && isFinished(a) !== isFinished(b)) return Number(isFinished(a)) - Number(isFinished(b))
    const [x, y] = [order(a), order(b)]
    if (x === null || y === null) return Number(x === null) - Number(y === null) || compare(began(b), began(a))
    return sign * compare(x, y) || compare(began(b), began(a)) || compare(a.id, b.id)
  })
}

const began = ({ createdAt }: Operation): string => createdAt

const states: readonly StateName[] = ['running', 'unknown', 'failed', 'cancelled', 'done']

const orders: Readonly<Record<string, (row: Operation) => string | number | null>> = {
  what: operationName,
  state: (row) => states.indexOf(stateName(row)),
  location: ({ location }) => location,
  project: ({ project }) => project,
  who: ({ startedBy }) => startedBy?.name ?? null,
  began,
  // What runs has taken longer than all that ended.
  took: (row) => (isFinished(row) ? tookMs(row, 0) : Number.MAX_SAFE_INTEGER),
  ended: ({ endedAt }) => endedAt,
}

function compare(a: string | number, b: string | number): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** What there is to choose from in the rows, in order. */
export function choicesIn(operations: readonly Operation[]) {
  const distinct = (of: (row: Operation) => string | null) =>
    [...new Set(operations.flatMap((row) => of(row) ?? []))]
      .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
      .map((id) => ({ id, text: id }))
  return {
    servers: distinct(({ location }) => location),
    projects: distinct(({ project }) => project),
    people: distinct(({ startedBy }) => startedBy?.name ?? null),
  }
}

/** "3 running, 212 kept of the last 30 days." with what the filter leaves. */
export function describeList(all: readonly Operation[], shown: number): string {
  if (all.length === 0) return 'No operations.'
  const running = all.filter((row) => !isFinished(row)).length
  const count =
    shown === all.length ? plural(all.length, 'operation') : `${shown} of ${plural(all.length, 'operation')}`
  return `${count} of the last 30 days, ${running === 0 ? 'none' : running} running.`
}
