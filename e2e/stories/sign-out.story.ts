import { expect } from '@playwright/test'
import { choosePerson, signIn, story } from '../support/story.ts'

story('signing out ends the session at the provider, too', async ({ page, context, stage }) => {
  const revoked = stage.provider.revocations
  await signIn(page, 'Mika Kallio')

  // Only the console's session is gone: the provider still knows the person, and asks nothing.
  await context.clearCookies({ domain: 'localhost' })
  await page.goto('/')
  await page.getByRole('link', { name: 'Sign in' }).click()
  await expect(page.getByRole('navigation', { name: 'Pages' })).toBeVisible()

  await page.getByRole('button', { name: 'Mika Kallio' }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await expect(page.getByRole('heading', { name: 'Sign in to Malleus' })).toBeVisible()
  expect(stage.provider.revocations).toBeGreaterThan(revoked)

  await page.getByRole('link', { name: 'Sign in' }).click()
  await expect(page.getByRole('button', { name: 'Mika Kallio' })).toBeVisible()
  await choosePerson(page, 'Sam Okoro')
  await expect(page.getByRole('button', { name: 'Sam Okoro' })).toBeVisible()
})
