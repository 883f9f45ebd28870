import { expect } from '@playwright/test'
import { goTo, part, signIn, story } from '../support/story.ts'

story('an auditor sees the history and nothing else', async ({ page }) => {
  await signIn(page, 'Ana Duarte')
  const history = part(page, 'Access history')
  await expect(
    history
      .getByRole('listitem')
      .filter({ hasText: /Ana Duarte\s*signed in/ })
      .first(),
  ).toBeVisible()
  await expect(page.getByRole('table', { name: 'Servers' })).toHaveCount(0)
  await expect(page.getByText('10.77.')).toHaveCount(0)

  for (const title of ['Servers', 'Certificates'] as const) {
    await goTo(page, title)
    await expect(page.getByRole('alert').filter({ hasText: /role|allowed|may not/ })).toBeVisible()
    await expect(page.getByRole('table')).toHaveCount(0)
    await expect(page.getByText('SHA-256')).toHaveCount(0)
  }
})
