import { X } from 'lucide-react'
import type { ReactNode } from 'react'
import { Dialog as AriaDialog } from 'react-aria-components/Dialog'
import { Heading } from 'react-aria-components/Heading'
import { Modal, ModalOverlay } from 'react-aria-components/Modal'
import { cx } from '../lib/class-names.ts'
import { Button } from './Button.tsx'

const overlay = 'fixed inset-0 z-40 flex justify-center bg-scrim'

/** A question in front of the page. The caller shows it by rendering it. */
export function Dialog(props: {
  title: string
  onClose: () => void
  children: ReactNode
  footer?: ReactNode
  width?: 'normal' | 'wide'
  dismissable?: boolean
}) {
  const { title, onClose, children, footer, width = 'normal', dismissable = true } = props
  return (
    <ModalOverlay
      isOpen
      isDismissable={dismissable}
      isKeyboardDismissDisabled={!dismissable}
      onOpenChange={(open) => !open && onClose()}
      className={cx(overlay, 'items-start overflow-y-auto p-3 sm:pt-[8vh]')}
    >
      <Modal
        className={cx(
          'overlay-enter w-full rounded-xl border border-line-strong bg-raised shadow-overlay',
          width === 'wide' ? 'max-w-[860px]' : 'max-w-[460px]',
        )}
      >
        <AriaDialog className="flex max-h-[86vh] flex-col outline-none">
          <div className="flex items-center gap-3 border-b border-line py-3 pr-3 pl-5">
            <Heading slot="title" className="text-14">
              {title}
            </Heading>
            {dismissable && (
              <Button tone="quiet" size="icon" label="Close" className="ml-auto" onPress={onClose}>
                <X size={16} />
              </Button>
            )}
          </div>
          <div className="min-h-0 overflow-y-auto px-5 py-4">{children}</div>
          {footer !== undefined && (
            <div className="flex flex-wrap items-center justify-end gap-2 border-t border-line px-5 py-3">{footer}</div>
          )}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  )
}

/** A panel that comes in from the left, for what has no room beside the page. */
export function Drawer({ label, onClose, children }: { label: string; onClose: () => void; children: ReactNode }) {
  return (
    <ModalOverlay
      isOpen
      isDismissable
      onOpenChange={(open) => !open && onClose()}
      className={cx(overlay, 'justify-start')}
    >
      <Modal className="h-full w-[264px] max-w-[85vw] overflow-y-auto border-r border-line bg-rail">
        <AriaDialog aria-label={label} className="h-full outline-none">
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  )
}
