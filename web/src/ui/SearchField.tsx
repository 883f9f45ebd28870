import { Search } from 'lucide-react'
import { cx } from '../lib/class-names.ts'

/** Filters what is beside it while typing; Escape empties it. */
export function SearchField(props: {
  label: string
  value: string
  onChange: (value: string) => void
  className?: string
}) {
  const { label, value, onChange, className } = props
  return (
    <label className={cx('relative block', className)}>
      <span className="sr-only">{label}</span>
      <Search size={14} aria-hidden="true" className="absolute top-2.25 left-2.5 text-ink-3" />
      <input
        type="search"
        value={value}
        placeholder={label}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => event.key === 'Escape' && onChange('')}
        className="h-8 w-full rounded-[7px] border border-line-strong bg-raised pr-2 pl-8 text-13 placeholder:text-ink-3"
      />
    </label>
  )
}
