import type { Page } from '@playwright/test'

/**
 * When the page says that sentence, in milliseconds since 1970: by the browser's clock, which is this machine's. To be
 * called before what makes the page say so. An assertion would only look every half second.
 */
export function whenSaid(page: Page, sentence: string): Promise<number> {
  return page.evaluate(watch, sentence)
}

/** Runs in the page. */
function watch(sentence: string): Promise<number> {
  const says = (): boolean =>
    [...document.querySelectorAll('main *')].some(({ textContent }) => textContent === sentence)
  if (says()) throw new Error(`the page says "${sentence}" already`)
  return new Promise((resolve) => {
    const observer = new MutationObserver(() => {
      if (!says()) return
      observer.disconnect()
      resolve(Date.now())
    })
    observer.observe(document.body, { subtree: true, childList: true, characterData: true })
  })
}
