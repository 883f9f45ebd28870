import { expect } from '@playwright/test'
import { countLoads, goTo, rowOf, said, signIn, soon, story } from '../support/story.ts'

story('a server whose cable was pulled is called unreachable at once', async ({ page, stage }) => {
  const victim = await stage.victim()
  await signIn(page, 'Mika Kallio')
  await expect(page.getByText('All 3 servers answer.')).toBeVisible()
  const loads = countLoads(page)

  await stage.world.break(victim, 'cut-off')
  await expect(said(page, `${victim} is unreachable.`)).toBeVisible(soon)
  await expect(page.getByText('No connection can be made to it.')).toBeVisible()
  await expect(rowOf(page, victim)).toContainText('Unreachable')

  await goTo(page, 'Servers')
  await expect(rowOf(page, victim)).toContainText('no answer', soon)
  await expect(rowOf(page, 'server1')).toContainText('Online', soon)
  expect(loads(), 'the page was never loaded anew').toBe(0)
})
