import type { Page } from '@playwright/test'
import { expect } from '@playwright/test'
import { goTo, part, signIn, soon, story } from '../support/story.ts'

story(
  'a target stays in the link, and when it stops the page says so at once and offers any',
  async ({ page, stage }) => {
    const victim = await stage.victim()
    await signIn(page, 'Mika Kallio')
    await choose(page, victim)
    await expect(page).toHaveURL(`/clusters/lab?target=${victim}`)
    await expect(page.getByRole('button', { name: `Target ${victim}` })).toBeVisible()

    await goTo(page, 'Servers')
    await expect(page).toHaveURL(`/clusters/lab/members?target=${victim}`)
    await page.reload()
    await expect(page.getByRole('button', { name: `Target ${victim}` })).toBeVisible()

    await stage.world.break(victim, 'refusing')
    const notice = page.getByRole('alert').filter({ hasText: 'Your target cannot be used.' })
    await expect(notice).toBeVisible(soon)
    await expect(notice).toContainText(`${victim} refuses connections. Requests enter only through the target`)
    await goTo(page, 'Certificates')
    await expect(notice).toBeVisible()
    await expect(page.getByRole('alert').filter({ hasText: 'request ' })).toBeVisible(soon)

    await notice.getByRole('button', { name: 'Use any responsive server' }).click()
    await expect(page).toHaveURL('/clusters/lab/certificates')
    await expect(notice).toHaveCount(0)
    await expect(part(page, 'Cluster certificate')).toContainText('SHA-256', soon)
    await expect(page.getByRole('alert')).toHaveCount(0)
  },
)

story('a server that cannot be the target stays in the list, with the reason', async ({ page, stage }) => {
  const victim = await stage.victim()
  await stage.world.break(victim, 'stuck')
  await signIn(page, 'Jo Lindgren')
  await page.getByRole('button', { name: 'Target Any responsive server' }).click()
  await expect(page.getByRole('option', { name: new RegExp(`^${victim}`) })).toContainText('stuck')
  await expect(page.getByRole('option', { name: /^server1/ })).toContainText('load/core')
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog', { name: 'Target' })).toHaveCount(0)
})

story('a group is a target, too', async ({ page }) => {
  await signIn(page, 'Jo Lindgren')
  await choose(page, '@default')
  await expect(page).toHaveURL('/clusters/lab?target=%40default')
  await goTo(page, 'Certificates')
  await expect(part(page, 'Cluster certificate')).toContainText('SHA-256')
})

async function choose(page: Page, target: string): Promise<void> {
  await page.getByRole('button', { name: 'Target Any responsive server' }).click()
  const dialog = page.getByRole('dialog', { name: 'Target' })
  await dialog.getByRole('searchbox').fill(target)
  await dialog.getByRole('option', { name: new RegExp(`^${target}`) }).click()
  await expect(dialog).toHaveCount(0)
}
