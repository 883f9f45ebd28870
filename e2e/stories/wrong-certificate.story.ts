import { expect } from '@playwright/test'
import { goTo, part, rowOf, said, signIn, soon, story } from '../support/story.ts'

story('a server that presents a wrong certificate is never sent a byte', async ({ page, stage }) => {
  const victim = await stage.victim()
  await signIn(page, 'Mika Kallio')
  await expect(page.getByText('All 3 servers answer.')).toBeVisible()

  await stage.world.break(victim, 'wrong-certificate')
  await expect(said(page, `${victim} presents a wrong certificate.`)).toBeVisible()
  await expect(page.getByText('so nothing is sent to it').first()).toBeVisible()
  await expect(rowOf(page, victim)).toContainText('Wrong certificate')
  await expect(rowOf(page, victim)).toContainText('not asked')

  await goTo(page, 'Certificates')
  await expect(said(page, `${victim} presents a certificate that is not the cluster's.`)).toBeVisible(soon)
  await expect(part(page, 'Presented by each server').getByRole('listitem').filter({ hasText: victim })).toContainText(
    'Not known',
  )

  // Asking for it by name does not make the console speak to it.
  await page.goto(`/clusters/lab/members/${victim}?target=${victim}`)
  await expect(page.getByRole('alert').filter({ hasText: 'Your target cannot be used.' })).toBeVisible()
  const evacuate = page.getByRole('button', { name: 'Evacuate…' })
  await evacuate.focus()
  await expect(page.getByRole('tooltip')).toContainText('so nothing is sent to it')

  // Its certificate was looked at, as the page says, and the handshake given up: nothing was ever written to it.
  const heard = await stage.lab.heard(victim)
  expect(heard, 'the machine in its place kept account').toBeDefined()
  const fromConsole = heard?.filter(({ address }) => address === stage.lab.hostAddress) ?? []
  expect(fromConsole.filter(({ bytes }) => bytes > 0)).toEqual([])
})
