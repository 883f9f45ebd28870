import { expect } from '@playwright/test'
import { choosePerson, rowOf, signIn, story } from '../support/story.ts'

// Open streams look after their session every five seconds; the sixth is the browser's.
const within = { timeout: 6_000 }

story('a session that the provider ends locks the page, which keeps what it last knew', async ({ page, stage }) => {
  await signIn(page, 'Mika Kallio', '/clusters/lab/members?q=server')
  await expect(rowOf(page, 'server2')).toContainText('Online')

  await stage.provider.endSession('u-mika')
  expect(stage.provider.backchannelErrors, 'the console took the logout token').toEqual([])
  const lock = page.getByRole('dialog', { name: 'You are signed out' })
  await expect(lock).toBeVisible(within)
  await expect(page.getByText('server2', { exact: true })).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(lock).toBeVisible()

  await lock.getByRole('button', { name: 'Sign in again' }).click()
  await choosePerson(page, 'Mika Kallio')
  await expect(page).toHaveURL('/clusters/lab/members?q=server')
  await expect(rowOf(page, 'server2')).toContainText('Online')
})

story('signing out in one tab locks the other', async ({ page, context }) => {
  await signIn(page, 'Mika Kallio')
  const other = await context.newPage()
  await other.goto('/clusters/lab/certificates')
  await expect(other.getByRole('heading', { name: 'Certificates' })).toBeVisible()

  await page.getByRole('button', { name: 'Mika Kallio' }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await expect(page.getByRole('heading', { name: 'Sign in to Malleus' })).toBeVisible()
  await expect(other.getByRole('dialog', { name: 'You are signed out' })).toBeVisible(within)
})
