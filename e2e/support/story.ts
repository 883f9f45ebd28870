import type { Locator, Page } from '@playwright/test'
import { test as base, expect } from '@playwright/test'
import { Complaints } from './complaints.ts'
import { setStage } from './stage.ts'
import type { Stage } from './stage.ts'

// A story is told in a browser of its own, on the stage of its worker. Each leaves the stage as it found it, and fails
// when the browser had to complain about a page.

interface Scene {
  readonly complaints: Complaints
  /** Mends what the story broke, at its end. */
  readonly mended: void
}

/** `test`, on the stage. */
export const story = base.extend<Scene, { readonly stage: Stage }>({
  stage: [
    // oxlint-disable-next-line no-empty-pattern -- Playwright reads the parameter's pattern
    async ({}, begin, { parallelIndex }) => {
      const stage = await setStage(parallelIndex)
      await begin(stage)
      await stage.close()
    },
    { scope: 'worker', timeout: 240_000 },
  ],

  baseURL: ({ stage }, begin) => begin(stage.url),

  mended: [
    async ({ stage }, begin) => {
      await begin()
      await stage.mend()
    },
    { auto: true, timeout: 90_000 },
  ],

  complaints: [
    async ({ context, stage }, begin) => {
      const complaints = new Complaints(stage.url, [new URL(stage.provider.issuer).origin])
      await complaints.listen(context)
      const before = await countReports(stage)
      await begin(complaints)
      expect(complaints.all, 'T-csp-zero: what the browser holds against the pages').toEqual([])
      expect(await countReports(stage), 'T-csp-zero: reports that browsers sent').toBeLessThanOrEqual(before)
    },
    { auto: true },
  ],
})

/** What has to be said within two seconds. */
export const soon = { timeout: 2_000 }

/** Goes to a link, signs in through the provider, and comes back to the link. */
export async function signIn(page: Page, name: string, path = '/'): Promise<void> {
  await page.goto(path)
  await page.getByRole('link', { name: 'Sign in' }).click()
  await choosePerson(page, name)
  await expect(page.getByRole('navigation', { name: 'Pages' })).toBeVisible()
}

/** On the provider's page. */
export async function choosePerson(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name }).click()
}

/** Goes to one of the pages of the rail. */
export async function goTo(
  page: Page,
  title: 'Overview' | 'Servers' | 'Access paths' | 'Certificates' | 'Instances' | 'Events' | 'Operations',
): Promise<void> {
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: title }).click()
}

/** The row of a server in the table of the page. */
export function rowOf(page: Page, server: string): Locator {
  return page.getByRole('table', { name: 'Servers' }).getByRole('row', { name: server })
}

/** A part of a page with a heading of its own. */
export function part(page: Page, title: string): Locator {
  return page.getByRole('region', { name: title, exact: true })
}

/** A sentence on the page itself, not where it is said aloud. */
export function said(page: Page, sentence: string): Locator {
  return page.getByRole('main').getByText(sentence, { exact: true })
}

/** How many live streams of pages the console has open. */
export async function liveStreams(stage: Stage): Promise<number> {
  const text = await fetch(`${stage.managementUrl}/metrics`).then((response) => response.text())
  return Number(/^malleus_live_streams (\d+)$/m.exec(text)?.[1])
}

/** How often the page is loaded anew from now on. */
export function countLoads(page: Page): () => number {
  let loads = 0
  page.on('domcontentloaded', () => (loads += 1))
  return () => loads
}

async function countReports(stage: Stage): Promise<number> {
  const text = await fetch(`${stage.managementUrl}/metrics`).then((response) => response.text())
  const counts = [...text.matchAll(/^malleus_browser_reports_total(?:\{.*\})? (\d+)$/gm)]
  return counts.reduce((sum, [, count]) => sum + Number(count), 0)
}
