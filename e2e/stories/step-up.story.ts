import { expect } from '@playwright/test'
import { expectAccessible } from '../support/axe.ts'
import { part, story } from '../support/story.ts'

const name = 'story-step-up'

story('what reaches far asks who one is, keeps what was typed, and goes on by itself', async ({ page, stage }) => {
  try {
    await page.goto('/clusters/lab/trust')
    await page.getByRole('link', { name: 'Sign in' }).click()
    // As if the provider had asked ten minutes ago, and only the console a moment ago.
    const mika = page.getByRole('button', { name: 'Mika Kallio' })
    await mika.evaluate((button) => {
      const field = document.createElement('input')
      field.type = 'hidden'
      field.name = 'secondsAgo'
      field.value = '600'
      button.closest('form')?.append(field)
    })
    await mika.click()

    await page.getByRole('button', { name: 'Add a client…' }).click()
    const form = page.getByRole('dialog')
    await form.getByRole('textbox', { name: 'Name' }).fill(name)
    await form.getByRole('button', { name: 'Make a token' }).click()
    const question = page.getByRole('dialog', { name: 'Prove again who you are' })
    await expect(question).toContainText('this page stays as it is')
    await expectAccessible(page, 'the question who one is')
    await question.getByRole('button', { name: 'Cancel' }).press('Enter')
    await expect(form).toContainText('Nothing was done.')
    await expect(form.getByRole('textbox', { name: 'Name' })).toHaveValue(name)

    await form.getByRole('button', { name: 'Make a token' }).click()
    const opening = page.waitForEvent('popup')
    await question.getByRole('button', { name: 'Continue to your provider' }).press('Enter')
    const other = await opening
    await expect(question).toContainText('Waiting for you in the other window.')
    // It asks, although it knows her.
    await other.getByRole('button', { name: 'Cancel' }).click()
    await expect(other.getByRole('heading', { name: 'Nothing was proved' })).toBeVisible()
    await expectAccessible(other, 'the end of a step-up')
    await other.close()
    await expect(question).toContainText('The provider did not let you in.')
    const openingAgain = page.waitForEvent('popup')
    await question.getByRole('button', { name: 'Try again' }).click()
    await (await openingAgain).getByRole('button', { name: 'Mika Kallio' }).click()

    await expect(page.getByRole('dialog', { name: `Token for ${name}` })).toBeVisible()
    await page.getByRole('button', { name: 'Done' }).click()
    await expect(part(page, 'Pending tokens').getByText(name)).toHaveCount(1)
    await expect(page.getByText(/^Live/)).toBeVisible()

    // Proved once, it is enough for the next five minutes.
    await part(page, 'Pending tokens')
      .getByRole('button', { name: `Withdraw the token for ${name}` })
      .click()
    await page.getByRole('dialog').getByRole('button', { name: 'Withdraw it' }).click()
    await expect(part(page, 'Pending tokens').getByText(name)).toHaveCount(0)
  } finally {
    await stage.lab.incus(['config', 'trust', 'revoke-token', name]).catch(() => undefined)
  }
})
