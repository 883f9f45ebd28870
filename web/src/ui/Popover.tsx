import type { ReactNode, RefObject } from 'react'
import { Dialog as AriaDialog } from 'react-aria-components/Dialog'
import { Popover as AriaPopover } from 'react-aria-components/Popover'
import { cx } from '../lib/class-names.ts'

/** A panel at the element that opened it; the caller shows it by rendering it. */
export function Popover(props: {
  trigger: RefObject<HTMLElement | null>
  label: string
  onClose: () => void
  children: ReactNode
  placement?: 'bottom start' | 'bottom end'
  className?: string
}) {
  const { trigger, label, onClose, children, placement = 'bottom end', className } = props
  return (
    <AriaPopover
      isOpen
      triggerRef={trigger}
      placement={placement}
      offset={6}
      onOpenChange={(open) => !open && onClose()}
      className={cx(
        'overlay-enter z-30 overflow-auto rounded-[10px] border border-line-strong bg-raised shadow-overlay',
        className,
      )}
    >
      <AriaDialog aria-label={label} className="outline-none">
        {children}
      </AriaDialog>
    </AriaPopover>
  )
}
