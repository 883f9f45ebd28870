import { startTransition, useEffect, useState, type KeyboardEvent, type ReactNode } from 'react'
import { cx } from '../lib/class-names.ts'

/**
 * A plain HTML table with sorting and movement between rows by the arrow keys.
 *
 * 22 Nov 2026: not the grid of react-aria-components. A grid makes every cell a focus stop and costs a screen reader its
 * table commands; it is 22 kB more before the first list, and four hundred cells of it miss the time for that list. The
 * rows here hold ordinary links and buttons, which every browser and reader knows.
 */

export interface Column<Row> {
  readonly id: string
  readonly title: string
  /** What it means, where the title alone does not say. */
  readonly hint?: string
  readonly align?: 'start' | 'end'
  readonly cell: (row: Row) => ReactNode
  /** Present where rows can be sorted by it. */
  readonly sortable?: boolean
  /** From which width of the page on it is shown; always, unless said. */
  readonly from?: 'sm' | 'md' | 'lg' | 'xl'
  /** Names the row: its cell is a row header and stays in view when the table is moved sideways. */
  readonly header?: boolean
  /** Stays in view at the other side: what can be done with the row. */
  readonly last?: boolean
}

export interface Sort {
  readonly column: string
  readonly descending: boolean
}

export const shownFrom = {
  sm: 'max-sm:hidden',
  md: 'max-md:hidden',
  lg: 'max-lg:hidden',
  xl: 'max-xl:hidden',
} as const

export function Table<Row>(props: {
  label: string
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  keyOf: (row: Row) => string
  sort?: Sort | undefined
  onSort?: (sort: Sort) => void
  /** Where nothing is left to show. */
  empty?: ReactNode
}) {
  const { label, columns, rows, keyOf, sort, onSort, empty } = props
  const shown = useFirstRowsFirst(rows)
  // On the narrowest page the last of the columns that are always shown ends the row.
  const end = columns.findLast(({ from }) => from === undefined)?.id
  return (
    // The page itself never moves sideways: what is wider than it moves in here, by keyboard too.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls must be reachable (WCAG 2.1.1)
    <div className="relative overflow-x-auto" tabIndex={0} role="group" aria-label={`${label}, scrolls sideways`}>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- hears the keys of the links and buttons in it */}
      <table className="w-full border-collapse text-left" aria-label={label} onKeyDown={moveBetweenRows}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th
                key={column.id}
                scope="col"
                title={column.hint}
                aria-sort={sort?.column === column.id ? (sort.descending ? 'descending' : 'ascending') : undefined}
                className={cx(
                  'h-9 border-b border-line px-2 text-12 font-book whitespace-nowrap text-ink-3 first:pl-(--pad-x) last:pr-(--pad-x)',
                  column.align === 'end' && 'text-right',
                  column.header && 'sticky left-0 z-10 bg-surface',
                  column.last && 'sticky right-0 z-10 bg-surface',
                  column.from && shownFrom[column.from],
                  column.id === end && 'max-sm:pr-(--pad-x)',
                )}
              >
                {column.sortable && onSort ? (
                  <SortButton
                    column={column.id}
                    title={column.title}
                    align={column.align}
                    sort={sort}
                    onSort={onSort}
                  />
                ) : (
                  <span className={column.last ? 'sr-only' : ''}>{column.title}</span>
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <TableRow key={keyOf(row)} row={row} columns={columns} end={end} />
          ))}
        </tbody>
      </table>
      {rows.length === 0 && empty}
    </div>
  )
}

/** What fits a window is drawn at once, the rest right after: a person can read while it comes. */
function useFirstRowsFirst<Row>(rows: readonly Row[]): readonly Row[] {
  const first = 20
  const [all, setAll] = useState(false)
  useEffect(() => {
    // Two frames on, so that the first rows are on the screen before the others are worked on.
    const frame = requestAnimationFrame(() => requestAnimationFrame(() => startTransition(() => setAll(true))))
    return () => cancelAnimationFrame(frame)
  }, [])
  return all ? rows : rows.slice(0, first)
}

function TableRow<Row>(props: { row: Row; columns: readonly Column<Row>[]; end: string | undefined }) {
  const { row, columns, end } = props
  return (
    <tr className="group border-b border-line last:border-b-0 hover:bg-hover">
      {columns.map((column) => {
        const Cell = column.header ? 'th' : 'td'
        return (
          <Cell
            key={column.id}
            {...(column.header ? { scope: 'row' } : {})}
            className={cx(
              'h-(--row) px-2 py-0 whitespace-nowrap first:pl-(--pad-x) last:pr-(--pad-x)',
              column.align === 'end' && 'text-right tabular-nums',
              column.header && 'sticky left-0 z-10 bg-surface text-left group-hover:bg-hover',
              column.last && 'sticky right-0 z-10 bg-surface group-hover:bg-hover',
              column.from && shownFrom[column.from],
              column.id === end && 'max-sm:pr-(--pad-x)',
            )}
          >
            {column.cell(row)}
          </Cell>
        )
      })}
    </tr>
  )
}

export function SortButton(props: {
  column: string
  title: string
  align?: 'start' | 'end' | undefined
  sort: Sort | undefined
  onSort: (sort: Sort) => void
}) {
  const { column, title, align, sort, onSort } = props
  const active = sort?.column === column
  return (
    <button
      type="button"
      onClick={() => onSort({ column, descending: active ? !sort.descending : false })}
      className={cx(
        '-mx-1 inline-flex cursor-default items-center gap-1 rounded px-1 hover:text-ink',
        active && 'text-ink',
        align === 'end' && 'flex-row-reverse',
      )}
    >
      {title}
      <svg aria-hidden="true" width="8" height="8" viewBox="0 0 8 8" className={active ? '' : 'opacity-0'}>
        <path d={active && sort.descending ? 'M1 2.5h6L4 6.5z' : 'M1 5.5h6L4 1.5z'} fill="currentColor" />
      </svg>
    </button>
  )
}

/** ↑ and ↓ go to the same place in the row above or below, Home and End to the first and last row. */
function moveBetweenRows(event: KeyboardEvent<HTMLTableElement>): void {
  const row = event.target instanceof Element ? event.target.closest('tbody > tr') : null
  if (!(row instanceof HTMLTableRowElement) || event.altKey || event.ctrlKey || event.metaKey) return
  const next = neighbour(row, event.key)
  if (next === undefined) return
  event.preventDefault()
  const places = [...row.querySelectorAll<HTMLElement>('a[href], button')]
  const index = places.findIndex((place) => place === event.target)
  const targets = [...next.querySelectorAll<HTMLElement>('a[href], button')]
  ;(targets[index] ?? targets[0])?.focus()
}

function neighbour(row: HTMLTableRowElement, key: string): HTMLTableRowElement | undefined {
  const rows = [...(row.parentElement?.querySelectorAll('tr') ?? [])]
  const index = rows.indexOf(row)
  if (key === 'ArrowDown') return rows[index + 1]
  if (key === 'ArrowUp') return rows[index - 1]
  if (key === 'Home') return rows[0]
  if (key === 'End') return rows.at(-1)
  return undefined
}
