import type { Locator, Page } from '@playwright/test'
import { expect } from '@playwright/test'
import { z } from 'zod'
import { until } from '../lab/deadline.ts'
import { expectAccessible } from '../support/axe.ts'
import { startEndlessImage } from '../support/endless-image.ts'
import { goTo, signIn, soon, story } from '../support/story.ts'

story(
  'work that the incus command started is seen live, cancelled, and its result is kept',
  async ({ page, stage }) => {
    await signIn(page, 'Mika Kallio', '/clusters/lab/operations')
    await expect(page.getByRole('heading', { name: 'Operations' })).toBeVisible()
    const image = await startEndlessImage(stage.lab.hostAddress)
    try {
      const id = await download(stage.lab, image.url)
      const row = operation(page, 'Downloading image')
      await expect(row).toContainText('Running', soon)
      await expect(row).toContainText('elsewhere')
      await expectAccessible(page, 'Operations with one that runs')

      await row.getByRole('link', { name: 'Downloading image' }).click()
      await expect(page.getByRole('heading', { level: 1 })).toContainText('Downloading image')
      await expect(page.getByRole('main').getByRole('progressbar')).toBeVisible()
      await expect(page.getByText(`incus operation delete lab:${id}`)).toBeVisible()
      await expect(page.getByRole('group', { name: 'The record as Incus sent it' })).toContainText('"may_cancel": true')
      await expectAccessible(page, 'An operation')

      await page.getByRole('button', { name: 'Cancel…' }).click()
      const question = page.getByRole('dialog', { name: 'Cancel “Downloading image”?' })
      await expect(question).toContainText('What was fetched so far is thrown away.')
      await question.getByRole('button', { name: 'Cancel the operation' }).click()
      await expect(page.getByRole('dialog')).toContainText('Downloading image was cancelled')
      await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click()

      await forgotten(stage.lab, id)
      await page.reload()
      await expect(page.getByRole('heading', { level: 1 })).toContainText('Cancelled')
      await stage.restartConsole(async () => {})
      await page.goto('/clusters/lab/operations')
      await expect(operation(page, 'Downloading image')).toContainText('Cancelled')
      await page.goto(`/clusters/lab/operations/${id}`)
      await expect(page.getByRole('heading', { level: 1 })).toContainText('Cancelled')
      await expect(page.getByRole('group', { name: 'The record as Incus sent it' })).toContainText(id)
    } finally {
      await image.close()
    }
  },
)

story('a stopped server holds up no list of operations, and what it did is as last known', async ({ page, stage }) => {
  const victim = await stage.victim()
  await signIn(page, 'Mika Kallio')
  await goTo(page, 'Operations')
  // Its client may wait for ever for a server that is stopped; it ends with the lab.
  stage.lab.incus(['exec', `web-${victim}`, '--', 'sleep', '30']).catch(() => 'ended')
  const row = operation(page, 'Executing command')
  await expect(row).toContainText('Running')
  await expect(row).toContainText(victim)

  await stage.world.break(victim, 'stuck')
  // What the console is compared with: the same question to a server that answers, which waits for the one that does not.
  let direct = 'waiting'
  void stage.lab.incus(['query', '/1.0/operations?recursion=1']).then(
    () => (direct = 'answered'),
    () => (direct = 'failed'),
  )
  await expect(page.getByText(`What runs on ${victim} is as of`)).toContainText('the server is stuck.')
  await expect(row).toContainText('last known')
  expect(await answerMs(page, '/api/clusters/lab/operations')).toBeLessThan(300)
  expect(await answerMs(page, '/api/clusters/lab/kept-operations')).toBeLessThan(300)
  expect(direct, 'Incus itself still waits for the stuck server').toBe('waiting')
  await expectAccessible(page, 'Operations with a stuck server')
  await row.getByRole('link', { name: 'Executing command' }).click()
  await expect(page.getByText('How it is now is not known; this is the last that was.')).toBeVisible()
  await stage.world.mend(victim)
})

story('work that went with its server is looked for, and that nobody saw its end is said', async ({ page, stage }) => {
  const victim = await stage.victim()
  await signIn(page, 'Mika Kallio', '/clusters/lab/operations')
  // Its client may wait for ever for a server that was killed; it ends with the lab.
  stage.lab.incus(['exec', `web-${victim}`, '--', 'sleep', '20']).catch(() => 'ended')
  await expect(operation(page, 'Executing command')).toContainText('Running')
  await stage.world.break(victim, 'refusing')
  await stage.world.mend(victim)
  await expect(operation(page, 'Executing command')).toContainText('Looking', { timeout: 30_000 })
  await operation(page, 'Executing command').getByRole('link', { name: 'Executing command' }).click()
  await expect(page.getByText('Outcome unknown, looking.')).toBeVisible()
})

/** Has a server download an image; gives the id of the operation. */
async function download(lab: { incus(args: readonly string[]): Promise<string> }, url: string): Promise<string> {
  const body = JSON.stringify({ source: { type: 'url', url } })
  const said = await lab.incus(['query', '--request', 'POST', '--data', body, '/1.0/images'])
  return z.object({ id: z.string() }).parse(JSON.parse(said)).id
}

async function forgotten(lab: { incus(args: readonly string[]): Promise<string> }, id: string): Promise<void> {
  await until('Incus forgetting the operation', 20_000, () =>
    lab.incus(['operation', 'show', id]).then(
      () => undefined,
      () => true,
    ),
  )
}

/** The median of five, as the browser measures it. */
async function answerMs(page: Page, path: string): Promise<number> {
  return page.evaluate(async (address) => {
    const took: number[] = []
    for (let count = 0; count < 5; count += 1) {
      const begun = performance.now()
      const response = await fetch(address, { headers: { 'x-console-request': '1' } })
      await response.text()
      if (!response.ok) throw new Error(`answered with ${response.status}`)
      took.push(performance.now() - begun)
    }
    return took.toSorted((a, b) => a - b)[2] ?? Number.POSITIVE_INFINITY
  }, path)
}

/** The newest of that name. */
function operation(page: Page, name: string): Locator {
  return page.getByRole('table', { name: 'Operations' }).getByRole('row').filter({ hasText: name }).first()
}
