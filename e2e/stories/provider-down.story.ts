import { expect } from '@playwright/test'
import { choosePerson, goTo, part, rowOf, signIn, soon, story } from '../support/story.ts'

for (const how of ['refuse', 'hang'] as const) {
  story(
    `while the provider is down (${how}), signing in says so, and works again after it`,
    async ({ page, stage }) => {
      await page.goto('/')
      await stage.provider.down(how)
      await page.getByRole('link', { name: 'Sign in' }).click()
      const notice = page.getByRole('alert')
      await expect(notice).toContainText('The identity provider does not answer.', { timeout: 15_000 })
      await expect(notice).toContainText('who is signed in already can go on working')

      await stage.provider.up()
      await page.getByRole('link', { name: 'Try again' }).click()
      await choosePerson(page, 'Mika Kallio')
      await expect(page.getByRole('heading', { name: 'lab is reachable' })).toBeVisible()
    },
  )
}

story('who is signed in goes on working while the provider is down', async ({ page, stage }) => {
  const victim = await stage.victim()
  await signIn(page, 'Mika Kallio')
  await stage.provider.down()
  await goTo(page, 'Servers')
  await expect(rowOf(page, victim)).toContainText('Online', soon)
  await rowOf(page, victim).getByRole('link', { name: victim }).click()
  await expect(part(page, 'Machine')).toContainText('GiB of', soon)
  await page.reload()
  await goTo(page, 'Certificates')
  await expect(part(page, 'Cluster certificate')).toContainText('SHA-256', soon)
  await expect(page.getByText(/^Live,/)).toBeVisible()
})
