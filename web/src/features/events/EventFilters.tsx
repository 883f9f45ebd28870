import type { EventEntry } from '@malleus/shared/api/events.ts'
import { X } from 'lucide-react'
import { Button } from '../../ui/Button.tsx'
import { choices, offered, type Choice, type EventFilter } from './event-filter.ts'

const titles: Readonly<Record<Choice, string>> = {
  type: 'Type',
  action: 'Action',
  project: 'Project',
  server: 'Server',
  object: 'Object',
  who: 'Who',
}
const words: Readonly<Record<string, string>> = { lifecycle: 'what was done', operation: 'background work' }

/** One choice for each property of an event, from what there is. */
export function EventFilters(props: {
  entries: readonly EventEntry[]
  filter: EventFilter
  onChange: (filter: EventFilter) => void
}) {
  const { entries, filter, onChange } = props
  const isNarrowed = filter.q !== undefined || choices.some((choice) => filter[choice] !== undefined)
  return (
    <>
      {choices.map((choice) => {
        const values = offered(entries, filter, choice)
        if (values.length === 0) return null
        return (
          <label key={choice} className="w-28 min-w-0">
            <span className="sr-only">{titles[choice]}</span>
            {/* The browser's own list: thousands of names cost nothing until it is opened, and every reader knows it. */}
            <select
              value={filter[choice] ?? ''}
              onChange={({ target }) => onChange({ ...filter, ...chosen(choice, target.value) })}
              className="h-8 w-full truncate rounded-[7px] border border-line-strong bg-raised px-2 text-13 text-ink-2 data-chosen:border-accent data-chosen:text-accent-text"
              data-chosen={filter[choice] === undefined ? undefined : ''}
            >
              <option value="">{`${titles[choice]}: any`}</option>
              {values.map((value) => (
                <option key={value} value={value}>
                  {choice === 'type' ? (words[value] ?? value) : value}
                </option>
              ))}
            </select>
          </label>
        )
      })}
      {isNarrowed && (
        <Button tone="quiet" onPress={() => onChange(noFilter)}>
          <X size={14} aria-hidden="true" />
          Show all
        </Button>
      )}
    </>
  )
}

const noFilter: EventFilter = {
  q: undefined,
  type: undefined,
  action: undefined,
  project: undefined,
  server: undefined,
  object: undefined,
  who: undefined,
}

function chosen(choice: Choice, value: string): Partial<EventFilter> {
  if (choice !== 'type') return { [choice]: value === '' ? undefined : value }
  return { type: value === 'lifecycle' || value === 'operation' ? value : undefined }
}
