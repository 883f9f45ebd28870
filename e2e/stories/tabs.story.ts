import type { BrowserContext, Page } from '@playwright/test'
import { expect } from '@playwright/test'
import { liveStreams, signIn, story } from '../support/story.ts'

declare global {
  interface Window {
    noteLoss: (text: string) => void
  }
}

story(
  'ten tabs share one live stream: all are live at once, and closing the one that led is not noticed',
  async ({ page, context, stage }) => {
    story.slow()
    const victim = await stage.victim()
    const leader = whoLeads(context)
    await signIn(page, 'Mika Kallio')
    await expect(page.getByText('All 3 servers answer.')).toBeVisible()
    const tabs = [page]
    for (let more = 1; more < 10; more += 1) {
      const tab = await context.newPage()
      await tab.goto('/clusters/lab')
      tabs.push(tab)
    }
    await inEach(tabs, (tab) => expect(tab.getByText('All 3 servers answer.')).toBeVisible())
    await inEach(tabs, (tab) => expect(tab.getByText(/^Live,/)).toBeVisible())
    await expect.poll(() => liveStreams(stage)).toBe(1)

    expectQuick(await lateness(tabs, `${victim} is stuck.`, () => stage.world.break(victim, 'stuck')))

    // It goes while the server comes back: what happens between two streams is told by the second.
    const led = leader()
    const others = tabs.filter((tab) => tab !== led)
    expect(others).toHaveLength(9)
    const losses = await lossesOf(others)
    await Promise.all([led?.close(), stage.world.mend(victim)])
    await inEach(others, (tab) => expect(tab.getByText('All 3 servers answer.')).toBeVisible({ timeout: 20_000 }))
    await expect.poll(() => liveStreams(stage)).toBe(1)
    expect(others).toContain(leader())

    await stage.describe('server1', 'said to nine tabs')
    try {
      const [first, ...rest] = others
      if (first === undefined) throw new Error('there is no other tab')
      await first.goto('/clusters/lab/members/server1')
      await expect(first.getByText('said to nine tabs')).toBeVisible({ timeout: 20_000 })
      expectQuick(await lateness(rest, `${victim} is stuck.`, () => stage.world.break(victim, 'stuck')))
      expect(losses, 'every tab was live all the time').toEqual([])
    } finally {
      await stage.describe('server1', '')
    }
  },
)

interface Lateness {
  readonly firstMs: number
  readonly lastMs: number
}

/**
 * The news is in the browser within two seconds. All ten pages then draw at once, as none does that is behind another,
 * and share two processors with six servers.
 */
function expectQuick({ firstMs, lastMs }: Lateness): void {
  expect(firstMs).toBeLessThan(2_000)
  expect(lastMs).toBeLessThan(6_000)
}

/** How long after it began to happen the first and the last of the tabs said it; each notices by itself. */
async function lateness(tabs: readonly Page[], sentence: string, happen: () => Promise<void>): Promise<Lateness> {
  const said = tabs.map((tab) =>
    tab.evaluate(
      (text) =>
        new Promise<number>((resolve) => {
          const look = (): void => {
            if (document.querySelector('main')?.textContent.includes(text) === true) resolve(Date.now())
          }
          new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true })
          look()
        }),
      sentence,
    ),
  )
  const begun = Date.now()
  await happen()
  const times = (await Promise.all(said)).map((at) => at - begun)
  return { firstMs: Math.min(...times), lastMs: Math.max(...times) }
}

/** The page that opened the live stream last. */
function whoLeads(context: BrowserContext): () => Page | undefined {
  let last: Page | undefined
  context.on('request', (request) => {
    if (new URL(request.url()).pathname === '/api/live') last = request.frame().page()
  })
  return () => last
}

/** What any of them says from now on of not being live; grows. */
async function lossesOf(tabs: readonly Page[]): Promise<readonly string[]> {
  const said: string[] = []
  await inEach(tabs, async (tab) => {
    await tab.exposeFunction('noteLoss', (text: string) => void said.push(`tab ${tabs.indexOf(tab)}: ${text}`))
    await tab.evaluate(() => {
      new MutationObserver(() => {
        const [loss] = /Not live for [^,]*, \w+/.exec(document.body.textContent) ?? []
        if (loss !== undefined) window.noteLoss(loss)
      }).observe(document.body, { subtree: true, childList: true, characterData: true })
    })
  })
  return said
}

function inEach(tabs: readonly Page[], expectation: (tab: Page) => Promise<void>): Promise<void[]> {
  return Promise.all(tabs.map(expectation))
}
