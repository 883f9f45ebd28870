import { AxeBuilder } from '@axe-core/playwright'
import { expect } from '@playwright/test'
import type { Page } from '@playwright/test'

/** Nothing on the page, as it is now, is hard to use with what axe knows, in either theme. */
export async function expectAccessible(page: Page, what: string): Promise<void> {
  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' })
    // Legacy mode: axe's own way of looking into frames opens a page, which a strict content policy stops.
    const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze()
    const found = violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary ?? ''}`),
    )
    expect(found, `axe on ${what}, ${theme}`).toEqual([])
  }
}
