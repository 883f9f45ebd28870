import { useRef, type KeyboardEvent, type ReactNode } from 'react'
import { flushSync } from 'react-dom'
import { cx } from '../lib/class-names.ts'
import { shownFrom, SortButton, type Column, type Sort } from './Table.tsx'
import { useRowsInView } from './use-rows-in-view.ts'

/**
 * A table of thousands of rows: only those in view are in the document, all of one height, and what is longer than its
 * column is cut. It scrolls with the page, under a header that stays.
 *
 * 22 Nov 2026: not a package for it. Rows of one height in a page that scrolls need no measuring, which is most of what
 * such a package does; what is left is `use-rows-in-view.ts`.
 */

export interface LongColumn<Row> extends Column<Row> {
  /** The header of the row has none: it takes what is left. */
  readonly widthPx?: number
}

export function LongTable<Row>(props: {
  label: string
  columns: readonly LongColumn<Row>[]
  rows: readonly Row[]
  keyOf: (row: Row) => string
  /** Absent where the order of the rows is what they are about. */
  sort?: Sort
  onSort?: (sort: Sort) => void
  /** What sets a row apart from the others. */
  rowClass?: (row: Row) => string
}) {
  const { label, columns, rows, keyOf, sort, onSort, rowClass } = props
  const body = useRef<HTMLTableSectionElement>(null)
  const [{ first, end, rowPx }, setView] = useRowsInView(rows.length, body)

  /** ↑ and ↓ go to the same place in the row above or below, Home and End to the first and last row. */
  function moveBetweenRows(event: KeyboardEvent<HTMLTableElement>): void {
    const row = event.target instanceof Element ? event.target.closest('tr[aria-rowindex]') : null
    if (row === null || event.altKey || event.ctrlKey || event.metaKey) return
    const next = nextIndex(Number(row.getAttribute('aria-rowindex')) - 2, event.key, rows.length)
    if (next === undefined) return
    event.preventDefault()
    // It may be far away, and then it is not in the document yet.
    if (next < first || next >= end) flushSync(() => setView({ first: Math.max(0, next - 24), end: next + 24, rowPx }))
    const place = body.current?.querySelector<HTMLElement>(`tr[aria-rowindex="${next + 2}"] :is(a[href], button)`)
    place?.focus()
    place?.scrollIntoView({ block: 'nearest' })
  }

  const leastPx = columns.reduce((sum, { widthPx }) => sum + (widthPx ?? leastHeaderPx), 0)
  const isWide = leastPx > fitsPx
  const table = (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- hears the keys of the links and buttons in it
    <table
      className="w-full table-fixed border-separate border-spacing-0 text-left"
      aria-label={label}
      aria-rowcount={rows.length + 1}
      onKeyDown={moveBetweenRows}
    >
      <thead>
        <tr aria-rowindex={1}>
          {columns.map((column) => (
            <th
              key={column.id}
              scope="col"
              title={column.hint}
              style={{ width: column.widthPx }}
              aria-sort={sort?.column === column.id ? (sort.descending ? 'descending' : 'ascending') : undefined}
              className={cx(
                'h-9 truncate border-b border-line bg-surface px-2 text-12 font-book text-ink-3 first:pl-(--pad-x) last:pr-(--pad-x)',
                // Below the top bar, which stays too. In what moves sideways nothing can stay at the top of the page.
                isWide ? column.header && 'sticky left-0 z-10' : 'sticky top-[52px] z-10',
                column.align === 'end' && 'text-right',
                column.from && shownFrom[column.from],
              )}
            >
              {column.sortable && sort && onSort ? (
                <SortButton column={column.id} title={column.title} sort={sort} onSort={onSort} />
              ) : (
                column.title
              )}
            </th>
          ))}
        </tr>
      </thead>
      <tbody ref={body}>
        <Gap px={first * rowPx} />
        {rows.slice(first, end).map((row, index) => (
          <LongTableRow
            key={keyOf(row)}
            row={row}
            index={first + index}
            columns={columns}
            isWide={isWide}
            className={rowClass?.(row)}
          />
        ))}
        <Gap px={(rows.length - end) * rowPx} />
      </tbody>
    </table>
  )
  if (!isWide) return table
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls must be reachable (WCAG 2.1.1)
    <div className="relative overflow-x-auto" tabIndex={0} role="group" aria-label={`${label}, scrolls sideways`}>
      <div className="max-xl:min-w-0!" style={{ minWidth: leastPx }}>
        {table}
      </div>
    </div>
  )
}

const leastHeaderPx = 140
/** Beside the rail in a window of 1320 px, from which on all columns are shown. More of them move sideways in here. */
const fitsPx = 1_044

/** Rows that are not in the document leave their room. */
function Gap({ px }: { px: number }) {
  return px > 0 && <tr aria-hidden="true" style={{ height: px }} />
}

function LongTableRow<Row>(props: {
  row: Row
  index: number
  columns: readonly LongColumn<Row>[]
  isWide: boolean
  className: string | undefined
}): ReactNode {
  const { row, index, columns, isWide, className } = props
  return (
    // What comes into view by keyboard stops below what stays at the top and above what stays at the bottom.
    <tr aria-rowindex={index + 2} className={cx('group hover:bg-hover [&_:is(a,button)]:scroll-my-28', className)}>
      {columns.map((column) => {
        const Cell = column.header ? 'th' : 'td'
        return (
          <Cell
            key={column.id}
            {...(column.header ? { scope: 'row' } : {})}
            className={cx(
              'h-(--row) truncate border-b border-line px-2 py-0 text-left group-last:border-b-0 first:pl-(--pad-x) last:pr-(--pad-x)',
              column.align === 'end' && 'text-right tabular-nums',
              isWide && column.header && 'sticky left-0 z-10 bg-surface group-hover:bg-hover',
              column.from && shownFrom[column.from],
            )}
          >
            {column.cell(row)}
          </Cell>
        )
      })}
    </tr>
  )
}

function nextIndex(index: number, key: string, count: number): number | undefined {
  const next = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: count - 1 }[key]
  return next === undefined || next < 0 || next >= count ? undefined : next
}
