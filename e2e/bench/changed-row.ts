import type { Page } from '@playwright/test'

/** When a row changed, on the page's steady clock in milliseconds since 1970. */
export interface RowChange {
  readonly domAt: number
  readonly paintedAt: number
}

const domMark = 'malleus-row-changed'
const paintMark = 'malleus-row-painted'

/** From now on the page waits for the row of this member to say this word. */
export async function armRow(page: Page, member: string, word: string): Promise<void> {
  await page.evaluate(watchRow, { member, word, domMark, paintMark })
}

/** The change that the page was armed for, when it has been painted. Throws when it takes longer. */
export async function rowChange(page: Page, withinMs: number): Promise<RowChange> {
  const change = await page.evaluate(timesOfMarks, { domMark, paintMark, withinMs })
  if (change === undefined) throw new Error(`the page did not show the change within ${withinMs} ms`)
  return change
}

/** Runs in the page: marks the moment of the change, and that of the frame that shows it. */
function watchRow(options: { member: string; word: string; domMark: string; paintMark: string }): void {
  const { member, word, domMark: dom, paintMark: paint } = options
  performance.clearMarks(dom)
  performance.clearMarks(paint)
  const says = (): boolean =>
    [...document.querySelectorAll('table[aria-label="Servers"] tbody tr')].some(
      (row) => row.querySelector('th')?.textContent === member && row.textContent.includes(word),
    )
  if (says()) throw new Error(`the row of ${member} says ${word} already`)
  const observer = new MutationObserver(() => {
    if (!says()) return
    observer.disconnect()
    performance.mark(dom)
    // What runs after a frame's own callbacks runs when that frame has been painted.
    requestAnimationFrame(() => {
      const channel = new MessageChannel()
      channel.port1.addEventListener('message', () => performance.mark(paint), { once: true })
      channel.port1.start()
      channel.port2.postMessage(null)
    })
  })
  observer.observe(document.body, { subtree: true, childList: true, characterData: true })
}

/** Runs in the page: waits for both marks. */
function timesOfMarks(options: {
  domMark: string
  paintMark: string
  withinMs: number
}): Promise<RowChange | undefined> {
  const { domMark: dom, paintMark: paint, withinMs } = options
  const read = (): RowChange | undefined => {
    const [changed] = performance.getEntriesByName(dom)
    const [painted] = performance.getEntriesByName(paint)
    if (changed === undefined || painted === undefined) return undefined
    return {
      domAt: performance.timeOrigin + changed.startTime,
      paintedAt: performance.timeOrigin + painted.startTime,
    }
  }
  return new Promise((resolve) => {
    const observer = new PerformanceObserver(() => settle(read()))
    const settle = (change: RowChange | undefined, patient = true): void => {
      if (change === undefined && patient) return
      observer.disconnect()
      resolve(change)
    }
    observer.observe({ type: 'mark' })
    setTimeout(() => settle(read(), false), withinMs)
    settle(read())
  })
}
