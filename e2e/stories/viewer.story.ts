import { expect } from '@playwright/test'
import { rowOf, signIn, story } from '../support/story.ts'

const reason = 'Your role is viewer; an admin of this cluster can do this.'

story('a viewer finds the button disabled, with the reason on focus', async ({ page }) => {
  await signIn(page, 'Sam Okoro', '/clusters/lab/members/server2')
  const evacuate = page.getByRole('button', { name: 'Evacuate…' })
  await expect(evacuate).toHaveAttribute('aria-disabled', 'true')
  await evacuate.focus()
  await expect(page.getByRole('tooltip')).toHaveText(reason)
  await expect(evacuate).toHaveAccessibleDescription(reason)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('dialog')).toHaveCount(0)
})

story('a viewer reads the reason in the menu of a row, too', async ({ page }) => {
  await signIn(page, 'Sam Okoro', '/clusters/lab/members')
  await rowOf(page, 'server2').getByRole('button', { name: 'Actions for server2' }).click()
  await page.getByRole('menuitem', { name: 'Evacuate…' }).filter({ hasText: reason }).click()
  await expect(page.getByRole('dialog', { name: 'Evacuate server2?' })).toHaveCount(0)
})
