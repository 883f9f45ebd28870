import { expect } from '@playwright/test'
import { choosePerson, rowOf, signIn, soon, story } from '../support/story.ts'

story('a session that the provider ends locks the page, which keeps what it last knew', async ({ page, stage }) => {
  await signIn(page, 'Mika Kallio', '/clusters/lab/members?q=server')
  await expect(rowOf(page, 'server2')).toContainText('Online')

  await stage.provider.endSession('u-mika')
  expect(stage.provider.backchannelErrors, 'the console took the logout token').toEqual([])
  const lock = page.getByRole('dialog', { name: 'You are signed out' })
  await expect(lock).toBeVisible(soon)
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
  await expect(other.getByRole('dialog', { name: 'You are signed out' })).toBeVisible(soon)
})

story(
  'somebody else who signs in in the same browser sees nothing of the pages before, nor those of theirs',
  async ({ page, context }) => {
    await signIn(page, 'Mika Kallio', '/clusters/lab')
    await expect(page.getByText('All 3 servers answer.')).toBeVisible()
    const asked: string[] = []
    page.on('response', (response) => {
      if (response.url().includes('/api/')) asked.push(`${response.status()} ${response.url()}`)
    })
    // The provider forgets who was there; the console's cookie is replaced when somebody else comes back from it.
    await context.clearCookies({ name: /^(?!__Host-)/ })
    const other = await context.newPage()
    await other.goto('/auth/login?returnTo=/clusters/lab/members')
    await choosePerson(other, 'Jo Lindgren')
    await expect(rowOf(other, 'server2')).toContainText('Online')
    asked.length = 0

    const lock = page.getByRole('dialog', { name: 'You are signed out' })
    await expect(lock).toBeVisible({ timeout: 6_000 })
    expect(asked.filter((answer) => answer.startsWith('200'))).toEqual([])
    await expect(other.getByText(/^Live,/)).toBeVisible()
  },
)
