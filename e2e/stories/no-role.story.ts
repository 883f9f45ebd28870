import { expect } from '@playwright/test'
import { choosePerson, story } from '../support/story.ts'

story('somebody without a role is told so, and which roles to ask for', async ({ page }) => {
  await page.goto('/')
  await page.getByRole('link', { name: 'Sign in' }).click()
  await choosePerson(page, 'Kim Weiss')

  const refusal = page.getByRole('alert')
  await expect(refusal).toContainText('You are known, but have no role here.')
  await expect(refusal).toContainText('Ask an administrator')
  for (const role of ['viewer', 'operator', 'admin', 'auditor']) await expect(refusal).toContainText(role)
  await expect(page.getByRole('link', { name: 'Try again' })).toBeVisible()

  await page.goto('/clusters/lab')
  await expect(page.getByRole('heading', { name: 'Sign in to Malleus' })).toBeVisible()
})

story('somebody who cancels at the provider comes back, and can begin again', async ({ page }) => {
  await page.goto('/')
  await page.getByRole('link', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: 'Cancel' }).click()
  await expect(page.getByRole('alert')).toContainText('did not let you in')

  await page.getByRole('link', { name: 'Try again' }).click()
  await choosePerson(page, 'Sam Okoro')
  await expect(page.getByRole('heading', { name: 'lab is reachable' })).toBeVisible()
})
