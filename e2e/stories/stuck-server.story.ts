import { expect } from '@playwright/test'
import { countLoads, goTo, part, rowOf, said, signIn, soon, story } from '../support/story.ts'

story('a stopped server is called stuck at once, and everything else goes on', async ({ page, stage }) => {
  const victim = await stage.victim()
  await signIn(page, 'Mika Kallio')
  await expect(page.getByText('All 3 servers answer.')).toBeVisible()
  const loads = countLoads(page)

  await stage.world.break(victim, 'stuck')
  await expect(said(page, `${victim} is stuck.`)).toBeVisible(soon)
  await expect(page.getByText('It accepts connections but has not answered for')).toBeVisible()
  await expect(page.getByText(`2 of 3 servers answer. Requests skip ${victim}`)).toBeVisible()
  await expect(rowOf(page, victim)).toContainText('Stuck')
  await expect(rowOf(page, victim)).toContainText('Online≠, but this console measures otherwise')

  // The worst is told first; on a busy machine others may be slow for a moment.
  const evacuate = page.getByRole('button', { name: 'Evacuate…' }).first()
  await expect(evacuate).toHaveAttribute('aria-disabled', 'true')
  await evacuate.focus()
  await expect(page.getByRole('tooltip')).toContainText(`${victim} does not answer.`)

  await goTo(page, 'Servers')
  await expect(page.getByText('3 servers. 1 needs attention.')).toBeVisible(soon)
  await expect(rowOf(page, victim)).toContainText('Stuck', soon)
  await rowOf(page, victim).getByRole('link', { name: victim }).click()
  await expect(part(page, 'Health')).toContainText(`${victim} is stuck.`, soon)
  await expect(part(page, 'What the cluster says')).toContainText('Online', soon)
  await goTo(page, 'Certificates')
  await expect(part(page, 'Cluster certificate')).toContainText('SHA-256', soon)
  await goTo(page, 'Overview')
  await expect(page.getByRole('heading', { name: 'lab is reachable' })).toBeVisible(soon)
  await expect(page.getByText(/^Live,/)).toBeVisible()
  expect(loads(), 'the page was never loaded anew').toBe(0)
})

story('the first look at a cluster with a stuck server waits for nothing', async ({ page, stage }) => {
  const victim = await stage.victim()
  await stage.world.break(victim, 'stuck')
  await signIn(page, 'Jo Lindgren', '/clusters/lab/members?show=attention')
  await expect(rowOf(page, victim)).toContainText('Stuck', soon)
  await page.getByRole('checkbox', { name: 'Needs attention' }).uncheck()
  await expect(rowOf(page, 'server1')).toContainText('Online', soon)
})
