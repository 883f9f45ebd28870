import type { Locator, Page } from '@playwright/test'
import { expect } from '@playwright/test'
import { countLoads, part, rowOf, signIn, story } from '../support/story.ts'

story('a server is evacuated and restored from its row, and the history has both', async ({ page, stage }) => {
  const victim = await stage.victim()
  await signIn(page, 'Mika Kallio')
  await expect(rowOf(page, victim)).toContainText('Online')
  await expect(rowOf(page, victim).getByRole('cell', { name: '1', exact: true })).toBeVisible()
  const loads = countLoads(page)

  const evacuate = await ask(page, victim, 'Evacuate')
  await expect(evacuate).toContainText('Its 1 instance leaves according to the mode')
  await expect(evacuate.getByRole('region', { name: 'Checks' })).toContainText(`${victim} answers`)
  await expect(evacuate.getByRole('radio', { name: 'As each instance is set' })).toBeChecked()
  await expect(evacuate.getByText(`incus cluster evacuate lab:${victim}`, { exact: true })).toBeVisible()
  await evacuate.getByRole('radio', { name: 'Move', exact: true }).check()
  await expect(evacuate.getByText(`incus cluster evacuate lab:${victim} --action migrate`)).toBeVisible()
  await evacuate.getByRole('button', { name: `Evacuate ${victim}` }).click()
  await expect(page.getByRole('dialog')).toContainText(`Evacuating ${victim}`)
  await expect(page.getByRole('dialog')).toContainText('It is done.')
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click()

  await expect(rowOf(page, victim)).toContainText('Evacuated')
  await expect(historyLine(page, `Mika Kallio evacuated ${victim}`)).toBeVisible()
  expect(await whereIs(stage.lab, `web-${victim}`)).not.toBe(victim)

  const restore = await ask(page, victim, 'Restore')
  await expect(restore).toContainText('what left it for the evacuation comes back')
  await expect(restore.getByText(`incus cluster restore lab:${victim}`, { exact: true })).toBeVisible()
  await restore.getByRole('button', { name: `Restore ${victim}` }).click()
  await expect(page.getByRole('dialog')).toContainText('It is done.')
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click()

  await expect(rowOf(page, victim)).toContainText('Online')
  await expect(historyLine(page, `Mika Kallio restored ${victim}`)).toBeVisible()
  expect(await whereIs(stage.lab, `web-${victim}`)).toBe(victim)
  expect(loads(), 'the page was never loaded anew').toBe(0)
})

story('work goes on when the page of it is closed, and every page shows it', async ({ page, stage }) => {
  const victim = await stage.victim()
  await signIn(page, 'Mika Kallio', `/clusters/lab/members/${victim}`)
  await page.getByRole('button', { name: 'Evacuate…' }).click()
  await page
    .getByRole('dialog')
    .getByRole('button', { name: `Evacuate ${victim}` })
    .click()
  await expect(page.getByRole('region', { name: 'Activity', includeHidden: true })).toContainText(
    `Evacuating ${victim}`,
  )
  await page.goto('/clusters/lab/certificates')
  await expect(page.getByRole('region', { name: 'Activity' })).toContainText(`Evacuated ${victim}`)
  await expect(page.getByRole('region', { name: 'Activity' })).toContainText('started by Mika Kallio')
})

story('an evacuation that the incus command started is seen as it goes', async ({ page, stage }) => {
  const victim = await stage.victim()
  await signIn(page, 'Jo Lindgren')
  await expect(rowOf(page, victim)).toContainText('Online')
  const loads = countLoads(page)

  const evacuating = stage.lab.incus(['cluster', 'evacuate', victim, '--force'])
  await expect(page.getByRole('region', { name: 'Activity' })).toContainText(`Evacuating ${victim}`)
  await evacuating
  await expect(page.getByRole('region', { name: 'Activity' })).toContainText(`Evacuated ${victim}`)
  await expect(page.getByRole('region', { name: 'Activity' })).toContainText(
    /started elsewhere|not through this console/,
  )
  await expect(rowOf(page, victim)).toContainText('Evacuated')
  await expect(historyLine(page, `unix evacuated ${victim}`)).toBeVisible()

  await stage.lab.incus(['cluster', 'restore', victim, '--force'])
  await expect(rowOf(page, victim)).toContainText('Online')
  await expect(historyLine(page, `unix restored ${victim}`)).toBeVisible()
  expect(loads(), 'the page was never loaded anew').toBe(0)
})

async function ask(page: Page, server: string, action: 'Evacuate' | 'Restore'): Promise<Locator> {
  await rowOf(page, server)
    .getByRole('button', { name: `Actions for ${server}` })
    .click()
  await page.getByRole('menuitem', { name: `${action}…` }).click()
  const dialog = page.getByRole('dialog', { name: `${action} ${server}?` })
  await expect(dialog).toBeVisible()
  return dialog
}

/** A line of the history by its words, which stand in boxes of their own. */
function historyLine(page: Page, words: string): Locator {
  const pattern = new RegExp(words.split(' ').join('\\s*'))
  return part(page, 'Access history').getByRole('listitem').filter({ hasText: pattern }).first()
}

async function whereIs(lab: { incus(args: readonly string[]): Promise<string> }, instance: string): Promise<string> {
  return (await lab.incus(['list', instance, '--format', 'csv', '--columns', 'L'])).trim()
}
