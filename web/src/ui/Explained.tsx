import { useId, useRef, useState, type ReactNode } from 'react'

/**
 * Something with a sentence about it, shown while it has the focus or the pointer is on it or on the sentence (WCAG
 * 1.4.13), and always there for readers. Escape puts it away.
 */
export function Explained({ by, children }: { by: string; children: (id: string) => ReactNode }) {
  const id = useId()
  const [place, setPlace] = useState<{ right: number; top: number } | null>(null)
  const box = useRef<HTMLSpanElement>(null)
  const show = () => {
    const at = box.current?.getBoundingClientRect()
    if (at !== undefined) setPlace({ right: Math.max(8, window.innerWidth - at.right), top: at.bottom })
  }
  const hide = () => setPlace(null)
  return (
    // oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- watches the button inside it
    <span
      ref={box}
      className="inline-flex"
      onMouseEnter={show}
      onMouseLeave={hide}
      onFocus={show}
      onBlur={hide}
      onKeyDown={(event) => event.key === 'Escape' && hide()}
    >
      {children(id)}
      <span id={id} hidden>
        {by}
      </span>
      {place !== null && (
        <span
          role="tooltip"
          popover="manual"
          ref={(element) => element?.showPopover()}
          style={{ right: place.right, top: place.top }}
          className="inset-auto m-0 max-w-[min(340px,calc(100vw-16px))] border-0 bg-transparent p-0 pt-1.5 whitespace-normal"
        >
          <span className="overlay-enter block rounded-lg border border-line-strong bg-raised px-2.5 py-1.5 text-12 text-ink shadow-overlay">
            {by}
          </span>
        </span>
      )}
    </span>
  )
}
