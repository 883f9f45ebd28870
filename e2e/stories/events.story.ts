import type { Page } from '@playwright/test'
import { expect } from '@playwright/test'
import { z } from 'zod'
import { goTo, signIn, story } from '../support/story.ts'

const row = (page: Page, sentence: string) => page.getByRole('button', { name: sentence, exact: true })

story(
  'what is done with the command line is on the page within a second, waits while it is paused, and is told once',
  async ({ page, stage }) => {
    const { lab } = stage
    await signIn(page, 'Mika Kallio')
    await goTo(page, 'Events')
    await expect(page.getByRole('heading', { name: 'Events' })).toBeVisible()
    await expect(page.getByText(/^Live,/)).toBeVisible()
    try {
      await lab.incus(['profile', 'create', 'tail-one'])
      await expect(row(page, 'Profile tail-one was created')).toBeVisible({ timeout: 1_000 })

      await page.getByRole('button', { name: 'Pause' }).click()
      await lab.incus(['profile', 'set', 'tail-one', 'user.note=two'])
      await expect(page.getByRole('button', { name: /^Go on, \d+ waiting$/ })).toBeVisible({ timeout: 1_000 })
      await expect(row(page, 'Profile tail-one was changed')).toHaveCount(0)
      await page.getByRole('button', { name: /^Go on/ }).click()
      await expect(row(page, 'Profile tail-one was changed')).toHaveCount(1)

      await row(page, 'Profile tail-one was created').click()
      const panel = page.getByRole('complementary', { name: 'Profile tail-one was created' })
      await expect(panel).toContainText('"action": "profile-created"')
      await expect(panel).toContainText('/1.0/profiles/tail-one')
      await page.keyboard.press('Escape')
      await expect(row(page, 'Profile tail-one was created')).toBeFocused()

      await page.getByLabel('Action').selectOption('profile-updated')
      await expect(page).toHaveURL(/[?&]action=profile-updated/)
      await expect(row(page, 'Profile tail-one was created')).toHaveCount(0)
      await expect(page.getByText('select(.metadata.action == "profile-updated")')).toBeVisible()
      await page.reload()
      await expect(row(page, 'Profile tail-one was changed')).toHaveCount(1)
      await page.getByRole('button', { name: 'Show all' }).click()
      await expect(row(page, 'Profile tail-one was created')).toHaveCount(1)
    } finally {
      await lab.incus(['profile', 'delete', 'tail-one'])
    }
    await expect(row(page, 'Profile tail-one was deleted')).toBeVisible({ timeout: 1_000 })
  },
)

story('a time in which nobody was listened to is a gap, with its length', async ({ page, stage }) => {
  story.slow()
  await signIn(page, 'Mika Kallio', '/clusters/lab/events')
  await expect.poll(() => listening(page)).toHaveLength(2)
  const heard = await listening(page)
  for (const server of heard) await stage.world.break(server, 'stuck')
  await expect(page.getByText(/No server tells what happens\.|Only \S+ tells what happens\./)).toBeVisible()
  for (const server of heard) await stage.world.mend(server)
  const gap = page.getByRole('button', { name: /^Events may be missing: [\d.]+ (s|min)$/ }).first()
  await expect(gap).toBeVisible({ timeout: 60_000 })
  await gap.click()
  const panel = page.getByRole('complementary', { name: 'A gap' })
  await expect(panel).toContainText('From')
  await expect(panel).toContainText('Why')
  await expect.poll(() => listening(page), { timeout: 60_000 }).toHaveLength(2)
  await expect(page.getByText(/tells what happens\./)).toHaveCount(0)
})

story('at 320 pixels everything can be read and nothing moves sideways', async ({ page, stage }) => {
  await signIn(page, 'Mika Kallio', '/clusters/lab/events')
  await page.setViewportSize({ width: 320, height: 640 })
  await stage.lab.incus(['profile', 'create', 'narrow'])
  await stage.lab.incus(['profile', 'delete', 'narrow'])
  await row(page, 'Profile narrow was deleted').click()
  const panel = page.getByRole('dialog', { name: 'Profile narrow was deleted' })
  await expect(panel).toContainText('profile-deleted')
  await page.keyboard.press('Escape')
  await expect(panel).toHaveCount(0)
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320)
})

/** The servers whose events the console listens to for this person. */
async function listening(page: Page): Promise<readonly string[]> {
  const answer: unknown = await page.evaluate(async () => {
    const response = await fetch('/api/clusters/lab/events', { headers: { 'x-console-request': '1' } })
    const answer: unknown = await response.json()
    return answer
  })
  return z.object({ listening: z.array(z.string()) }).parse(answer).listening
}
