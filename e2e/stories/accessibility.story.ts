import { expect } from '@playwright/test'
import { expectAccessible } from '../support/axe.ts'
import { goTo, part, rowOf, said, signIn, story } from '../support/story.ts'

story('axe finds nothing on any page, in both themes', async ({ page, stage }) => {
  await page.goto('/sign-in?problem=no_role')
  await expect(page.getByRole('alert')).toBeVisible()
  await expectAccessible(page, 'the sign-in page')

  await signIn(page, 'Mika Kallio')
  await expect(part(page, 'Access history').getByRole('listitem').first()).toBeVisible()
  await expectAccessible(page, 'Overview')
  await goTo(page, 'Servers')
  await expect(rowOf(page, 'server2')).toContainText('Online')
  await expectAccessible(page, 'Servers')
  await goTo(page, 'Certificates')
  await expect(part(page, 'Cluster certificate')).toContainText('SHA-256')
  await expectAccessible(page, 'Certificates')
  await page.goto('/clusters/lab/members/server2')
  await expect(part(page, 'Machine')).toContainText('GiB of')
  await expect(part(page, 'Probes').getByRole('row').nth(1)).toBeVisible()
  await expectAccessible(page, 'a server')
  await page.goto('/clusters/lab/events')
  await stage.lab.incus(['profile', 'create', 'accessible'])
  await page.getByRole('button', { name: 'Profile accessible was created' }).click()
  await expect(page.getByRole('complementary', { name: 'Profile accessible was created' })).toBeVisible()
  await expectAccessible(page, 'Events with one of them open')
  await stage.lab.incus(['profile', 'delete', 'accessible'])
  await page.goto('/clusters/lab/history')
  await page.getByRole('table', { name: 'Access history' }).getByRole('button', { name: 'signed in' }).first().click()
  await expect(
    page.getByRole('complementary', { name: /^Record \d/ }).getByRole('region', { name: 'Chain' }),
  ).toContainText('hold')
  await expectAccessible(page, 'Access history with one record open')
  await page.goto('/clusters/lab/sessions')
  await expect(page.getByRole('table', { name: 'Your sessions' }).getByText('this one')).toBeVisible()
  await expectAccessible(page, 'Sessions')
  await page.goto('/nowhere')
  await expect(page.getByRole('heading', { name: 'There is nothing at this address' })).toBeVisible()
  await expectAccessible(page, 'the page for what does not exist')
})

story('axe finds nothing on what opens in front of a page, in both themes', async ({ page }) => {
  await signIn(page, 'Mika Kallio')
  for (const button of ['Target Any responsive server', 'Search or run', 'Mika Kallio', 'choose a cluster']) {
    await page.getByRole('button', { name: button }).click()
    await expect(page.getByRole('dialog').or(page.getByRole('menu'))).not.toHaveCount(0)
    await expectAccessible(page, button)
    await page.keyboard.press('Escape')
    await expect(page.getByRole('dialog').or(page.getByRole('menu'))).toHaveCount(0)
  }
  await rowOf(page, 'server2').getByRole('button', { name: 'Actions for server2' }).click()
  await expect(page.getByRole('menu')).toBeVisible()
  await expectAccessible(page, 'the menu of a row')
  await page.getByRole('menuitem', { name: 'Evacuate…' }).click()
  await expect(page.getByRole('dialog', { name: 'Evacuate server2?' })).toBeVisible()
  await expectAccessible(page, 'the question before an evacuation')
})

story('axe finds nothing while a server is stuck, in both themes', async ({ page, stage }) => {
  const victim = await stage.victim()
  await stage.world.break(victim, 'stuck')
  await signIn(page, 'Mika Kallio', `/clusters/lab?target=${victim}`)
  await expect(said(page, `${victim} is stuck.`)).toBeVisible()
  await expectAccessible(page, 'Overview with a stuck server')
  await goTo(page, 'Servers')
  await expectAccessible(page, 'Servers with a stuck one')
  await rowOf(page, victim).getByRole('link', { name: victim }).click()
  await expect(part(page, 'Health')).toContainText(`${victim} is stuck.`)
  await expectAccessible(page, 'a stuck server')
})
