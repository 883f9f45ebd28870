import type { Locator, Page } from '@playwright/test'
import { expect } from '@playwright/test'
import { expectAccessible } from '../support/axe.ts'
import { signIn, soon, story } from '../support/story.ts'

story('instances of a stuck server stay in the list, as they were last known', async ({ page, stage }) => {
  const victim = await stage.victim()
  await signIn(page, 'Mika Kallio', '/clusters/lab/instances')
  await expect(page.getByText('3 instances in project default, on 3 servers.')).toBeVisible()
  await expect(instance(page, `web-${victim}`)).toContainText('Running')
  await expect(page.getByText('last known')).toHaveCount(0)

  await stage.world.break(victim, 'stuck')
  // What the console is compared with: the same question to a server that answers, which waits for the one that does not.
  let direct = 'waiting'
  void stage.lab.incus(['query', '/1.0/instances?recursion=1']).then(
    () => (direct = 'answered'),
    () => (direct = 'failed'),
  )
  await expect(page.getByText(`The state of 1 instance on ${victim} is as of`)).toContainText(
    'the server is stuck.',
    soon,
  )
  await expect(instance(page, `web-${victim}`)).toContainText('Running')
  await expect(instance(page, `web-${victim}`)).toContainText('last known')
  await expect(page.getByText('last known')).toHaveCount(1)
  await expectAccessible(page, 'Instances with a stuck server')

  await page.reload()
  await expect(instance(page, `web-${victim}`)).toContainText('last known', soon)
  await page.getByRole('searchbox').fill('running server1')
  await expect(page.getByText('1 of 3 instances')).toBeVisible(soon)
  await expect(page).toHaveURL(/\?q=running\+server1$/)
  expect(direct, 'Incus itself still waits for the stuck server').toBe('waiting')
})

story('who signs in while a server is stuck sees which instances there are at once', async ({ page, stage }) => {
  const victim = await stage.victim()
  // Nothing is known of what anybody was told before.
  await stage.restartConsole(async () => {})
  await stage.world.break(victim, 'stuck')
  await signIn(page, 'Jo Lindgren', '/clusters/lab/instances')
  await expect(instance(page, `web-${victim}`)).toContainText('Unknown', soon)
  await expect(page.getByText(`The cluster waits for ${victim} before it tells the rest`)).toBeVisible()
})

function instance(page: Page, name: string): Locator {
  return page.getByRole('table', { name: 'Instances' }).getByRole('row', { name })
}
