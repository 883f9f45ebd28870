import type { ReactNode } from 'react'
import { Autocomplete, useFilter } from 'react-aria-components/Autocomplete'
import { Input } from 'react-aria-components/Input'
import { SearchField } from 'react-aria-components/SearchField'

/** A box to type in over a list that it filters; the arrow keys move in the list while the focus stays in the box. */
export function FindList({ label, children }: { label: string; children: ReactNode }) {
  const { contains } = useFilter({ sensitivity: 'base' })
  return (
    <Autocomplete filter={contains}>
      <SearchField aria-label={label} autoFocus className="border-b border-line p-2">
        <Input
          placeholder={`${label}…`}
          spellCheck={false}
          className="h-8 w-full rounded-[7px] border border-line-strong bg-surface px-2.5 text-13 placeholder:text-ink-3"
        />
      </SearchField>
      {/* A region that scrolls must be reachable (WCAG 2.1.1). */}
      <div
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        role="group"
        aria-label="What was found"
        className="max-h-[min(460px,60vh)] overflow-y-auto p-1"
      >
        {children}
      </div>
    </Autocomplete>
  )
}
