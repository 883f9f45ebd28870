import type { ReactNode, RefObject } from 'react'
import { Header } from 'react-aria-components/Header'
import { Menu as AriaMenu, MenuItem as AriaMenuItem, MenuSection as AriaMenuSection } from 'react-aria-components/Menu'
import { Popover as AriaPopover } from 'react-aria-components/Popover'
import { cx } from '../lib/class-names.ts'

/** Actions or choices at the element that opened them; the caller shows it by rendering it. */
export function Menu(props: {
  trigger: RefObject<HTMLElement | null>
  label: string
  onClose: () => void
  children: ReactNode
  placement?: 'bottom start' | 'bottom end'
}) {
  const { trigger, label, onClose, children, placement = 'bottom end' } = props
  return (
    <AriaPopover
      isOpen
      aria-label={label}
      triggerRef={trigger}
      placement={placement}
      offset={6}
      onOpenChange={(open) => !open && onClose()}
      className="overlay-enter z-30 max-w-[min(360px,92vw)] min-w-[220px] overflow-auto rounded-[10px] border border-line-strong bg-raised p-1 shadow-overlay"
    >
      <AriaMenu aria-label={label} onClose={onClose} autoFocus="first" className="outline-none">
        {children}
      </AriaMenu>
    </AriaPopover>
  )
}

const menuItem =
  'flex cursor-default gap-2.5 rounded-md px-2.5 py-1.5 outline-none data-focused:bg-accent-soft data-focused:text-ink data-disabled:text-ink-3'

export function MenuItem(props: {
  id: string
  text: string
  children: ReactNode
  note?: string | undefined
  onAction?: () => void
  disabled?: boolean
}) {
  const { id, text, children, note, onAction, disabled = false } = props
  // A disabled item stays reachable with the keyboard, because its reason is in it.
  return (
    <AriaMenuItem
      id={id}
      textValue={text}
      className={cx(menuItem, 'items-start', disabled && 'text-ink-3')}
      {...(onAction === undefined || disabled ? {} : { onAction })}
    >
      <span className="min-w-0">
        <span className="flex items-center gap-2.5">{children}</span>
        {note !== undefined && (
          <span className="block text-12 text-ink-3">
            {disabled && <span className="sr-only">Not possible now. </span>}
            {note}
          </span>
        )}
      </span>
    </AriaMenuItem>
  )
}

/** Items of which one (or several) are chosen. */
export function MenuChoices(props: {
  title: string
  mode: 'single' | 'multiple'
  selected: readonly string[]
  onChange: (selected: string[]) => void
  children: ReactNode
}) {
  const { title, mode, selected, onChange, children } = props
  return (
    <AriaMenuSection
      selectionMode={mode}
      selectedKeys={[...selected]}
      disallowEmptySelection={mode === 'single'}
      onSelectionChange={(keys) => keys !== 'all' && onChange([...keys].map(String))}
      className="not-first:mt-1 not-first:border-t not-first:border-line not-first:pt-1"
    >
      <Header className="px-2.5 pt-1 pb-0.5 text-11 text-ink-3">{title}</Header>
      {children}
    </AriaMenuSection>
  )
}

export function MenuChoice({ id, children }: { id: string; children: string }) {
  return (
    <AriaMenuItem id={id} textValue={children} className={cx(menuItem, 'items-center')}>
      {({ isSelected }) => (
        <>
          <svg aria-hidden="true" width="12" height="12" viewBox="0 0 12 12" className="text-accent-text">
            {isSelected && (
              <path d="M2.5 6.5 5 9l4.5-6" fill="none" stroke="currentColor" strokeWidth="1.8" strokeLinecap="round" />
            )}
          </svg>
          {children}
        </>
      )}
    </AriaMenuItem>
  )
}
