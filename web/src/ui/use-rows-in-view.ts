import { useLayoutEffect, useState, type RefObject } from 'react'

export interface RowsInView {
  /** Index of the first row to draw. */
  readonly first: number
  /** Index after the last. */
  readonly end: number
  readonly rowPx: number
}

/** Rows are drawn this many at a time, and as many beyond what is in view, so that most frames of scrolling draw none. */
const step = 12

/** Which rows of a long table are in view, or near it; told anew only when that changes. */
export function useRowsInView(
  count: number,
  body: RefObject<HTMLElement | null>,
): readonly [RowsInView, (view: RowsInView) => void] {
  const [view, setView] = useState<RowsInView>({ first: 0, end: 4 * step, rowPx: 36 })
  useLayoutEffect(() => {
    function look(): void {
      const { current } = body
      if (current === null) return
      const top = current.getBoundingClientRect().top
      const next = rowsBetween(-top, innerHeight - top, rowHeightOf(current))
      setView((before) => (sameView(before, next) ? before : next))
    }
    look()
    addEventListener('scroll', look, { passive: true })
    addEventListener('resize', look)
    return () => {
      removeEventListener('scroll', look)
      removeEventListener('resize', look)
    }
  }, [body])
  return [{ ...view, first: Math.min(view.first, count), end: Math.min(view.end, count) }, setView]
}

/** @param fromPx,toPx what is in view, measured from the top of the first row. */
export function rowsBetween(fromPx: number, toPx: number, rowPx: number): RowsInView {
  const first = Math.floor(fromPx / rowPx / step) * step - step
  const end = Math.ceil(toPx / rowPx / step) * step + step
  return { first: Math.max(0, first), end: Math.max(0, end), rowPx }
}

/** Follows the density that the person chose. */
function rowHeightOf(body: HTMLElement): number {
  return Number.parseFloat(getComputedStyle(body).getPropertyValue('--row')) || 36
}

function sameView(a: RowsInView, b: RowsInView): boolean {
  return a.first === b.first && a.end === b.end && a.rowPx === b.rowPx
}
