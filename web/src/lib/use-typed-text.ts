import { useEffect, useRef, useState } from 'react'

/** How long nothing is typed before it is written down. */
const pauseMs = 250

/**
 * A text that is typed, and belongs into the link: the link follows when there is a pause, because every change of it
 * costs the page more than the filtering itself.
 */
export function useTypedText(linked: string, write: (text: string) => void): readonly [string, (text: string) => void] {
  const [text, setText] = useState(linked)
  const [written, setWritten] = useState(linked)
  const [seen, setSeen] = useState(linked)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])

  if (linked !== seen) {
    setSeen(linked)
    // Another link was opened. What was typed here comes back as it was written, when there may be more of it already.
    if (linked !== written) setText(linked)
  }

  function type(next: string): void {
    setText(next)
    clearTimeout(timer.current)
    timer.current = setTimeout(() => {
      setWritten(next)
      write(next)
    }, pauseMs)
  }
  return [text, type]
}
