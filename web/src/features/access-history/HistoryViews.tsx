import { parseHistoryFilter, writtenHistoryValue } from '@malleus/shared/domain/history-filter.ts'
import { readyViews } from './history-views.ts'

/** What is looked for first, ready made. A view about somebody or something keeps whom the filter names already. */
export function HistoryViews({ filter, onChoose }: { filter: string; onChoose: (filter: string) => void }) {
  const current = readyViews.findIndex((view) => view.asks === undefined && view.filter === filter)
  return (
    <label className="min-w-0">
      <span className="sr-only">View</span>
      <select
        value={current}
        onChange={({ target }) => {
          const view = readyViews[Number(target.value)]
          if (view === undefined) return
          if (view.asks === undefined) onChoose(view.filter)
          else onChoose(`${view.asks}:${namedIn(filter, view.asks)} ${view.filter}`.trim())
        }}
        className="h-8 max-w-56 truncate rounded-[7px] border border-line-strong bg-raised px-2 text-13 text-ink-2"
      >
        {current === -1 && <option value={-1}>Own filter</option>}
        {readyViews.map(({ title }, at) => (
          <option key={title} value={at}>
            {title}
          </option>
        ))}
      </select>
    </label>
  )
}

/** Whom the filter names; everybody, to begin with, where it names nobody. */
function namedIn(filter: string, field: 'who' | 'to'): string {
  const parsed = parseHistoryFilter(filter)
  if (!parsed.ok) return '*'
  const value = parsed.filter.clauses.find((clause) => clause.field === field && !clause.not)?.values[0]
  return value === undefined ? '*' : `${writtenHistoryValue(value.text)}${value.begins ? '*' : ''}`
}
