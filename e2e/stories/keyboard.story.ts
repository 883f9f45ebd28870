import type { Locator, Page } from '@playwright/test'
import { expect } from '@playwright/test'
import { story } from '../support/story.ts'

story('everything is reached with the keyboard alone', async ({ page }) => {
  await page.goto('/')
  await pressAt(page, page.getByRole('link', { name: 'Sign in' }))
  await pressAt(page, page.getByRole('button', { name: 'Mika Kallio' }))
  await expect(page.getByRole('heading', { name: 'lab is reachable' })).toBeVisible()

  await page.keyboard.press('Tab')
  await expect(page.getByRole('link', { name: 'Skip to the page' })).toBeFocused()
  await page.keyboard.press('Enter')
  await pressAt(page, page.getByRole('table', { name: 'Servers' }).getByRole('link', { name: 'server2' }))
  await expect(page.getByRole('heading', { name: 'server2', level: 1 })).toBeVisible()

  const evacuate = page.getByRole('button', { name: 'Evacuate…' })
  await pressAt(page, evacuate)
  const dialog = page.getByRole('dialog', { name: 'Evacuate server2?' })
  await expect(dialog).toBeVisible()
  await tabTo(page, dialog.getByRole('radio', { name: 'As each instance is set' }))
  await page.keyboard.press('ArrowDown')
  await expect(dialog.getByRole('radio', { name: 'Automatic' })).toBeChecked()
  await pressAt(page, dialog.getByRole('button', { name: 'Cancel' }))
  await expect(dialog).toHaveCount(0)
  await expect(evacuate).toBeFocused()

  await page.keyboard.press('Enter')
  await expect(dialog).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(dialog).toHaveCount(0)

  await openPalette(page)
  await page.keyboard.type('certif')
  await expect(page.getByRole('option')).toHaveCount(1)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: 'Certificates', level: 1 })).toBeVisible()

  await openPalette(page)
  await page.keyboard.type('server3')
  await expect(page.getByRole('option')).toHaveCount(1)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: 'server3', level: 1 })).toBeVisible()

  await pressAt(page, page.getByRole('button', { name: /^Target/ }))
  await expect(page.getByRole('searchbox', { name: 'Find a server or group' })).toBeFocused()
  await page.keyboard.type('server1')
  await expect(page.getByRole('option')).toHaveCount(1)
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL('/clusters/lab/members/server3?target=server1')
  await page.keyboard.press('Tab')
  expect(await outlineWidth(page), 'the focus can be seen').toBeGreaterThan(0)
})

async function openPalette(page: Page): Promise<void> {
  await page.keyboard.press('Control+k')
  await expect(page.getByRole('searchbox', { name: 'Find a page or server, or run something' })).toBeFocused()
}

async function pressAt(page: Page, place: Locator): Promise<void> {
  await tabTo(page, place)
  await page.keyboard.press('Enter')
}

/** Goes on with Tab until the focus is there; more steps than the page has are a trap. */
async function tabTo(page: Page, place: Locator): Promise<void> {
  await expect(place).toBeVisible()
  for (let steps = 0; steps < 80; steps++) {
    if (await place.evaluate((element) => element === document.activeElement)) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`the focus never came to ${place.toString()}`)
}

function outlineWidth(page: Page): Promise<number> {
  return page.evaluate(() => {
    const focused = document.activeElement
    return focused === null ? 0 : Number.parseFloat(getComputedStyle(focused).outlineWidth)
  })
}
