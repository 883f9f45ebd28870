import type { Page } from '@playwright/test'
import { expect } from '@playwright/test'

// What the pages ask the console for, and how long its answers take: asked by the browser itself, so that whatever a page
// waits for is counted, and pages that are added later are, too.

/** Within which every answer to a page has to be there, in milliseconds. */
export const mostMs = 300

/** Everything that pages read: of each in the rail, and of one server. Ends on the page it began on. */
export async function readsOfEveryPage(page: Page, server: string): Promise<readonly string[]> {
  const began = page.url()
  const reads = new Set<string>()
  const note = (address: string): void => {
    const { pathname, search } = new URL(address)
    if (pathname.startsWith('/api/') && pathname !== '/api/live') reads.add(`${pathname}${search}`)
  }
  page.on('request', (request) => (request.method() === 'GET' ? note(request.url()) : undefined))
  const pages = page.getByRole('navigation', { name: 'Pages' }).getByRole('link')
  const count = await pages.count()
  for (let at = 0; at < count; at += 1) {
    await pages.nth(at).click()
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
    await settled(page)
  }
  await page.goto(new URL(`/clusters/lab/members/${server}`, began).href)
  await expect(page.getByRole('heading', { name: server, level: 1 })).toBeVisible()
  await settled(page)
  await page.goto(began)
  await settled(page)
  page.removeAllListeners('request')
  // What changed since an earlier answer is another question each time.
  const all = [...reads].filter((read) => !read.includes('since='))
  expect(all, 'what pages read').toEqual(expect.arrayContaining([...known(server)]))
  return all
}

/** Some of what has to be among them, or nothing was listened to. */
function known(server: string): readonly string[] {
  const cluster = '/api/clusters/lab'
  const below = ['members', `members/${server}`, 'instances', 'certificate', 'operations'].map(
    (path) => `${cluster}/${path}`,
  )
  return ['/api/session', '/api/clusters', ...below]
}

/**
 * Those of the reads that were late or failed, with how. One that was late is asked again at once, and once more: a
 * machine that is busy is late now and then, and whoever waits for a server every time.
 */
export async function lateReads(page: Page, reads: readonly string[]): Promise<readonly string[]> {
  const late: string[] = []
  for (const read of reads) {
    const tries: Asked[] = []
    while (tries.length < mostTries && tries.every(isLate)) tries.push(await ask(page, read))
    if (tries.every(isLate))
      late.push(`${read}: ${tries.map(({ status, ms }) => `${status} after ${ms} ms`).join(', ')}`)
  }
  return late
}

const mostTries = 3

function isLate({ status, ms }: Asked): boolean {
  return status >= 500 || ms > mostMs
}

interface Asked {
  readonly status: number
  readonly ms: number
}

async function ask(page: Page, read: string): Promise<Asked> {
  return page.evaluate(async (path) => {
    const startedAt = performance.now()
    const answer = await fetch(path, { headers: { 'x-console-request': '1' }, cache: 'no-store' })
    await answer.arrayBuffer()
    return { status: answer.status, ms: Math.round(performance.now() - startedAt) }
  }, read)
}

/** Nothing has been asked for a moment; streams do not count, they never end. */
async function settled(page: Page): Promise<void> {
  let askedAt = performance.now()
  const note = (): void => void (askedAt = performance.now())
  page.on('request', note)
  await expect.poll(() => performance.now() - askedAt, { timeout: 5_000, intervals: [100] }).toBeGreaterThan(400)
  page.off('request', note)
}
