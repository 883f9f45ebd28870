import type { Sort } from '../ui/Table.tsx'

/** How a table is sorted and which columns it has: what the link and the person ask for. */

/** `answer` or `-answer` in the link; `usual` where there is nothing or nonsense. */
export function sortFrom(text: string | undefined, orders: object, usual: Sort): Sort {
  const column = text?.replace(/^-/, '') ?? ''
  return Object.hasOwn(orders, column) ? { column, descending: text?.startsWith('-') ?? false } : usual
}

/** What the link says of it: nothing, where it is as usual. */
export function sortText({ column, descending }: Sort, usual: Sort): string | undefined {
  if (column === usual.column && descending === usual.descending) return undefined
  return descending ? `-${column}` : column
}

/** What was chosen, in the usual order, with those that are always there. */
export function columnsFrom<Column extends string>(
  all: readonly Column[],
  fixed: readonly Column[],
  chosen: readonly string[],
): readonly Column[] {
  return all.filter((column) => fixed.includes(column) || chosen.includes(column))
}
