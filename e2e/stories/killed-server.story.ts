import { expect } from '@playwright/test'
import { countLoads, part, rowOf, said, signIn, soon, story } from '../support/story.ts'

story(
  'a killed server is said to refuse connections at once, and to answer again when it does',
  async ({ page, stage }) => {
    const victim = await stage.victim()
    await signIn(page, 'Mika Kallio')
    await expect(page.getByText('All 3 servers answer.')).toBeVisible()
    const loads = countLoads(page)

    await stage.world.break(victim, 'refusing')
    await expect(said(page, `${victim} refuses connections.`)).toBeVisible(soon)
    await expect(page.getByText('nothing listens: Incus is not running on it')).toBeVisible()
    await expect(rowOf(page, victim)).toContainText('Refusing')

    await rowOf(page, victim).getByRole('link', { name: victim }).click()
    await expect(part(page, 'Health')).toContainText(`${victim} refuses connections.`, soon)
    await expect(part(page, 'Probes')).toContainText('Connect: The connection was refused', soon)

    await stage.world.mend(victim)
    await expect(page.getByRole('status').filter({ hasText: `${victim} answers again.` })).toBeAttached()
    await expect(part(page, 'Health')).toContainText(new RegExp(`${victim} (answers again|is healthy)\\.`))
    expect(loads(), 'the page was never loaded anew').toBe(0)
  },
)

story('a killed server is called offline by the cluster later, and the page shows both', async ({ page, stage }) => {
  const victim = await stage.victim()
  await signIn(page, 'Jo Lindgren', '/clusters/lab/members')
  await stage.world.break(victim, 'refusing')
  await expect(rowOf(page, victim)).toContainText('Online≠', soon)
  await expect(rowOf(page, victim)).toContainText('Offline', { timeout: 40_000 })
  await expect(rowOf(page, victim)).not.toContainText('≠')
})
