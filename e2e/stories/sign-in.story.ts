import { expect } from '@playwright/test'
import { cluster } from '../support/stage.ts'
import { choosePerson, goTo, part, signIn, story } from '../support/story.ts'

story('signing in leads to where the link pointed', async ({ page }) => {
  const link = `/clusters/${cluster}/members/server2?target=server1#probes`
  await page.goto(link)
  await expect(page.getByRole('heading', { name: 'Sign in to Malleus' })).toBeVisible()
  await page.getByRole('link', { name: 'Sign in' }).click()
  await choosePerson(page, 'Mika Kallio')

  await expect(page.getByRole('heading', { name: 'server2', level: 1 })).toBeVisible()
  await expect(page).toHaveURL(link)
  await expect(page.getByRole('button', { name: 'Target server1' })).toBeVisible()
  await expect(part(page, 'Health')).toContainText('server2 is healthy.')
})

story(
  'the first page says whether the cluster is reachable, and the link stays when it is opened again',
  async ({ page }) => {
    await signIn(page, 'Jo Lindgren')
    await expect(page).toHaveURL(`/clusters/${cluster}`)
    await expect(page.getByRole('heading', { name: `${cluster} is reachable` })).toBeVisible()
    await expect(page.getByText('All 3 servers answer.')).toBeVisible()

    await goTo(page, 'Certificates')
    await expect(page.getByText('One certificate faces every client, on all servers.')).toBeVisible()
    await page.reload()
    await expect(page.getByText('One certificate faces every client, on all servers.')).toBeVisible()
  },
)

story('a link to another place is not followed after signing in', async ({ page }) => {
  await page.goto('/sign-in?returnTo=https%3A%2F%2Felsewhere.example%2F')
  await page.getByRole('link', { name: 'Sign in' }).click()
  await choosePerson(page, 'Mika Kallio')
  await expect(page).toHaveURL(`/clusters/${cluster}`)
})
