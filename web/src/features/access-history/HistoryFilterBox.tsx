import {
  historyCompletion,
  historyFields,
  historyResults,
  historyViews,
  parseHistoryFilter,
  writtenHistoryValue,
} from '@malleus/shared/domain/history-filter.ts'
import { useQuery } from '@tanstack/react-query'
import { Search } from 'lucide-react'
import { useId, useRef, useState, type KeyboardEvent } from 'react'
import { historyValuesQuery } from '../../api/history.ts'
import { cx } from '../../lib/class-names.ts'

/** The filter as text, with what could come next. It is asked on Enter, on a choice that completes it, and when left. */
export function HistoryFilterBox(props: { cluster: string; linked: string; onAsk: (text: string) => void }) {
  const { cluster, linked, onAsk } = props
  const [text, setText] = useState(linked)
  const [seen, setSeen] = useState(linked)
  const [caret, setCaret] = useState(linked.length)
  const [isOpen, setOpen] = useState(false)
  const [chosen, setChosen] = useState(-1)
  const input = useRef<HTMLInputElement>(null)
  const id = useId()
  if (linked !== seen) {
    setSeen(linked)
    setText(linked)
  }
  const completion = historyCompletion(text, caret)
  const { field, begun } = completion
  const known = field === null || field === 'after' || field === 'before' ? null : (closed[field] ?? null)
  const asked = field === null || field === 'after' || field === 'before' || known !== null ? null : field
  const { data: values = [] } = useQuery(historyValuesQuery(cluster, isOpen ? asked : null, begun))
  const options = isOpen ? offered(completion, known ?? (asked === null ? null : values)) : []
  const parsed = parseHistoryFilter(text)
  // A person who still writes is not told that what they write is not finished.
  const problem = parsed.ok || text !== linked ? null : parsed.problem

  function take(option: Option): void {
    const next = `${text.slice(0, completion.from)}${option.text}${text.slice(completion.to)}`
    const at = completion.from + option.text.length
    setText(next)
    setCaret(at)
    setChosen(-1)
    setOpen(!option.isWhole)
    if (option.isWhole) onAsk(next.trim())
    requestAnimationFrame(() => input.current?.setSelectionRange(at, at))
  }

  function onKey(event: KeyboardEvent): void {
    const option = options[chosen]
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      if (!isOpen) setOpen(true)
      const step = event.key === 'ArrowDown' ? 1 : -1
      setChosen((before) => Math.max(-1, Math.min(options.length - 1, before + step)))
    } else if (event.key === 'Enter') {
      event.preventDefault()
      if (option !== undefined) take(option)
      else {
        setOpen(false)
        onAsk(text.trim())
      }
    } else if (event.key === 'Escape') {
      if (isOpen && options.length > 0) setOpen(false)
      else setText('')
    }
  }

  const look = (): void => setCaret(input.current?.selectionStart ?? text.length)
  return (
    <div className="relative min-w-64 flex-1 basis-80">
      <label className="relative block">
        <span className="sr-only">Filter</span>
        <Search size={14} aria-hidden="true" className="absolute top-2.25 left-2.5 text-ink-3" />
        <input
          ref={input}
          role="combobox"
          aria-expanded={options.length > 0}
          aria-controls={`${id}-options`}
          aria-autocomplete="list"
          aria-activedescendant={chosen >= 0 && chosen < options.length ? `${id}-${chosen}` : undefined}
          aria-invalid={problem !== null}
          aria-describedby={problem === null ? undefined : `${id}-problem`}
          value={text}
          placeholder="who:jo@example.net result:refused after:24h"
          spellCheck={false}
          autoComplete="off"
          onChange={({ target }) => {
            setText(target.value)
            setCaret(target.selectionStart ?? target.value.length)
            setChosen(-1)
            setOpen(true)
          }}
          onKeyDown={onKey}
          onKeyUp={look}
          onClick={() => {
            look()
            setOpen(true)
          }}
          onBlur={() => {
            setOpen(false)
            if (text.trim() !== linked) onAsk(text.trim())
          }}
          className="h-8 w-full rounded-[7px] border border-line-strong bg-raised pr-2 pl-8 font-mono text-12 placeholder:text-ink-3 aria-invalid:border-bad"
        />
      </label>
      <div
        id={`${id}-options`}
        role="listbox"
        aria-label="What could come next"
        className={cx(
          'absolute top-9 left-0 z-20 max-h-72 w-full max-w-md overflow-auto rounded-[10px] border border-line-strong bg-raised p-1 shadow-overlay',
          options.length === 0 && 'hidden',
        )}
      >
        {options.map((option, at) => (
          // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the keys are heard by the field
          <div
            key={option.text}
            id={`${id}-${at}`}
            role="option"
            tabIndex={-1}
            aria-selected={at === chosen}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => take(option)}
            className="flex cursor-default items-center gap-3 rounded-md px-2.5 py-1 hover:bg-hover aria-selected:bg-accent-soft"
          >
            <span className="truncate font-mono text-12">{option.text}</span>
            {option.note !== undefined && <span className="ml-auto text-12 text-ink-3">{option.note}</span>}
          </div>
        ))}
      </div>
      {problem !== null && (
        <p id={`${id}-problem`} role="alert" className="mt-1 text-12 text-bad">
          {problem.message}
        </p>
      )}
    </div>
  )
}

interface Option {
  readonly text: string
  readonly note?: string
  /** Nothing has to follow it. */
  readonly isWhole: boolean
}

const closed: Partial<Record<string, readonly string[]>> = {
  result: historyResults,
  source: ['console', 'incus'],
  view: historyViews,
}

const notes: Readonly<Record<string, string>> = {
  who: 'the person, or the client of Incus',
  what: 'what was done',
  to: 'the object it was done to',
  on: 'the server that carried it out',
  via: 'the way in',
  from: 'the address it came from',
  result: 'how it went',
  project: 'the project of the object',
  cluster: 'the cluster',
  source: 'this console, or Incus itself',
  view: 'a ready-made view',
  after: 'since when',
  before: 'until when',
}

const times = ['1h', '24h', '7d', '30d']

function offered(
  { field, begun }: { field: string | null; begun: string },
  values: readonly string[] | null,
): readonly Option[] {
  if (field === null) {
    return [...historyFields, 'after', 'before']
      .filter((name) => name.startsWith(begun.toLowerCase()))
      .map((name) => ({ text: `${name}:`, note: notes[name] ?? '', isWhole: false }))
  }
  const all = field === 'after' || field === 'before' ? times : (values ?? [])
  return all
    .filter((value) => value.toLowerCase().startsWith(begun.toLowerCase()) && value !== begun)
    .map((value) => ({ text: writtenHistoryValue(value), isWhole: true }))
}
