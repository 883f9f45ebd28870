import { X } from 'lucide-react'
import { useEffect, useRef, useSyncExternalStore, type ReactNode } from 'react'
import { Button } from './Button.tsx'
import { Dialog } from './Dialog.tsx'

/**
 * What is beside a list and keeps it: the details of one row. Where the page has no room for both it comes in front.
 * The caller shows it by rendering it, and gives the focus back when it closes.
 */
export function SidePanel(props: { title: string; onClose: () => void; children: ReactNode }) {
  const { title, onClose, children } = props
  const hasRoom = useSyncExternalStore(subscribe, fits)
  if (!hasRoom) {
    return (
      <Dialog title={title} onClose={onClose}>
        <div className="-mx-5 -my-4">{children}</div>
      </Dialog>
    )
  }
  return (
    <Beside title={title} onClose={onClose}>
      {children}
    </Beside>
  )
}

function Beside({ title, onClose, children }: { title: string; onClose: () => void; children: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus({ preventScroll: true }), [])
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !event.defaultPrevented) onClose()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [onClose])
  return (
    <aside
      aria-label={title}
      className="sticky top-[52px] flex max-h-[calc(100dvh-52px)] min-w-0 flex-col border-l border-line bg-surface"
    >
      <header className="flex min-h-11 items-center gap-2 border-b border-line py-1.5 pr-2 pl-(--pad-x)">
        <h2 ref={heading} tabIndex={-1} className="min-w-0 truncate text-13 outline-none">
          {title}
        </h2>
        <Button tone="quiet" size="icon" label="Close" className="ml-auto" onPress={onClose}>
          <X size={16} />
        </Button>
      </header>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls must be reachable (WCAG 2.1.1) */}
      <div className="min-h-0 overflow-y-auto" tabIndex={0} role="group" aria-label="Details">
        {children}
      </div>
    </aside>
  )
}

/** Beside the rail and a list of which something can still be read. */
const room = '(min-width: 1080px)'

function fits(): boolean {
  return matchMedia(room).matches
}

function subscribe(listener: () => void): () => void {
  const query = matchMedia(room)
  query.addEventListener('change', listener)
  return () => query.removeEventListener('change', listener)
}
