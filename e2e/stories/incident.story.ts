import type { Page } from '@playwright/test'
import { expect } from '@playwright/test'
import { expectAccessible } from '../support/axe.ts'
import { goTo, part, said, signIn, story } from '../support/story.ts'

story(
  'an incident tells what people noticed and when the cluster did, and outlives the console',
  async ({ page, stage }) => {
    story.setTimeout(240_000)
    const victim = await stage.victim()
    await signIn(page, 'Mika Kallio', '/clusters/lab/incidents')
    // What the start of a busy machine cast a doubt on is an incident of its own for half a minute.
    await expect(page.getByText(/^Nothing goes on\./)).toBeVisible({ timeout: 60_000 })
    await goTo(page, 'Overview')
    await expect(page.getByText('All 3 servers answer.')).toBeVisible()

    // People go on reading while it happens: what meets the stuck server is answered by another one.
    const reading = readOften(page)
    await stage.world.break(victim, 'stuck')
    await reading
    await expect(said(page, `${victim} is stuck.`)).toBeVisible()
    await page.getByRole('link', { name: 'See incident' }).click()
    await expect(page.getByRole('heading', { name: `${victim} has been stuck for` })).toBeVisible()
    const course = part(page, 'Course')
    await expect(course).toContainText(`${victim} gave its last answer before that`)
    await expect(course).toContainText('This console noticed')
    await expect(course).toContainText('Passed over: stuck')

    const short = part(page, 'In short')
    await expect(short).toContainText('The cluster has not noticed yet')
    await expect(short).toContainText(/\d+ (was|were) answered by another server instead/)

    // Somebody who insists on that server gets no answer from it, and that is counted.
    await askThrough(page, victim)
    await expect(short).toContainText(/\d+ got no answer/)
    await expect(course).toContainText('The cluster called it Offline', { timeout: 60_000 })
    await expect(short).toContainText(/The cluster called it Offline \d+ s after this console noticed/)
    await expectAccessible(page, 'an incident that goes on')

    await stage.world.mend(victim)
    await expect(course).toContainText('Healthy again', { timeout: 60_000 })
    await expect(page.getByText(`${victim} was healthy again, and stayed so.`)).toBeVisible({ timeout: 90_000 })
    await expect(course).toContainText('The cluster called it Online again', { timeout: 60_000 })

    await stage.restartConsole(async () => {})
    await page.goto('/clusters/lab/incidents')
    const row = page.getByRole('table', { name: 'Incidents' }).getByRole('row', { name: victim }).first()
    await expect(row).toContainText(/\d+ unanswered, .*\d+ hedged/)
    await expect(row).toContainText(/after \d+ s/)
    await expectAccessible(page, 'Incidents')
    await row.getByRole('link', { name: 'Stuck' }).click()
    await expect(page.getByRole('heading', { name: `${victim} was stuck for` })).toBeVisible()
    await expect(course).toContainText('The cluster called it Online again')
  },
)

story('an incident that ended while the console did not run says so', async ({ page, stage }) => {
  story.setTimeout(180_000)
  const victim = await stage.victim()
  await signIn(page, 'Jo Lindgren')
  await stage.world.break(victim, 'stuck')
  await page.getByRole('link', { name: 'See incident' }).click()
  await expect(part(page, 'Course')).toContainText('Passed over: stuck')
  await stage.restartConsole(() => stage.mend())
  await expect(page.getByText('while this console did not run').first()).toBeVisible({ timeout: 60_000 })
  await expect(part(page, 'In short')).toContainText('not known')
})

story('the health of a server shows its probes by phase, and every change with its reason', async ({ page, stage }) => {
  story.setTimeout(120_000)
  const victim = await stage.victim()
  const errors: string[] = []
  page.on('pageerror', ({ message }) => errors.push(message))
  await signIn(page, 'Jo Lindgren', `/clusters/lab/members/${victim}/health?range=1h`)
  await stage.world.break(victim, 'stuck')
  const changes = part(page, 'Changes')
  await expect(changes).toContainText('Stuck (ejected)')
  await expect(changes).toContainText('no TLS handshake came within')
  const percentiles = page.getByRole('table', { name: 'Percentiles' })
  for (const phase of ['First byte', 'Connect', 'TLS', 'Through the database']) {
    await expect(percentiles.getByRole('row', { name: phase })).toContainText(/\d ms/)
  }

  await expect(part(page, 'Probes').locator('canvas')).toHaveCount(3)
  // What the charts show is read with the keyboard too.
  const time = page.getByRole('slider', { name: 'Time in the charts' })
  await time.focus()
  await page.keyboard.press('End')
  await expect(time).toHaveAttribute('aria-valuetext', /ejected, .+ failed\./)
  await page.keyboard.press('Home')
  await expect(time).toHaveAttribute('aria-valuenow', '0')
  await page.getByRole('button', { name: 'Show the measurements as a table' }).click()
  await expect(page.getByRole('table', { name: 'Measurements' }).getByRole('row').nth(1)).toContainText('ejected')
  await page.getByRole('button', { name: 'Hide the measurements' }).click()
  await expectAccessible(page, "a server's health")

  await page.getByRole('navigation', { name: 'Range' }).getByRole('link', { name: '30 days' }).click()
  await expect(page).toHaveURL(/range=30d/)
  await expect(part(page, 'Probes')).toContainText('the last 30 days')
  await page.reload()
  await expect(part(page, 'Probes')).toContainText('the last 30 days')
  expect(errors, 'what the charts drew').toEqual([])
})

/** As a page whose target is that server does: through it alone. */
async function askThrough(page: Page, server: string): Promise<void> {
  await page.evaluate(async (name) => {
    await fetch('/api/clusters/lab/members', { headers: { 'x-console-request': '1', 'x-malleus-target': name } })
  }, server)
}

/** Ninety readings within three seconds, whatever becomes of each. */
async function readOften(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const replies: Promise<unknown>[] = []
    for (let n = 0; n < 90; n += 1) {
      replies.push(fetch('/api/clusters/lab/members', { headers: { 'x-console-request': '1' } }))
      await new Promise((resolve) => setTimeout(resolve, 33))
    }
    await Promise.allSettled(replies)
  })
}
