import { ChevronDown } from 'lucide-react'
import { lazy, Suspense, useRef, useState } from 'react'
import { Button } from '../ui/Button.tsx'

const FilterMenu = lazy(() => import('./FilterMenu.tsx').then((m) => ({ default: m.FilterMenu })))

export interface FilterChoices {
  /** What it narrows by, e.g. "State". */
  readonly label: string
  /** When it does not, e.g. "Any state". */
  readonly anyText: string
  readonly chosen: string | undefined
  readonly options: readonly { readonly id: string; readonly text: string }[]
  readonly onChoose: (id: string | undefined) => void
}

/** Narrows a table by one thing; says what is chosen. */
export function FilterButton(choices: FilterChoices) {
  const { label, anyText, chosen, options } = choices
  const [open, setOpen] = useState(false)
  const trigger = useRef<HTMLButtonElement>(null)
  const text = chosen === undefined ? anyText : (options.find(({ id }) => id === chosen)?.text ?? chosen)
  return (
    <>
      <Button
        ref={trigger}
        opens="menu"
        expanded={open}
        onPress={() => setOpen(true)}
        label={`${label}: ${text}`}
        {...(chosen === undefined ? {} : { className: 'border-accent! text-accent-text!' })}
      >
        <span className="max-w-40 truncate">{text}</span>
        <ChevronDown size={14} aria-hidden="true" />
      </Button>
      {open && (
        <Suspense fallback={null}>
          <FilterMenu {...choices} trigger={trigger} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  )
}
