import { expect } from '@playwright/test'
import { countLoads, rowOf, said, signIn, soon, story } from '../support/story.ts'

story('a server that answers late is called slow at once, and can still be used', async ({ page, stage }) => {
  const victim = await stage.victim()
  await signIn(page, 'Mika Kallio')
  await expect(page.getByText('All 3 servers answer.')).toBeVisible()
  const loads = countLoads(page)

  await stage.world.break(victim, 'slow')
  await expect(said(page, `${victim} is slow.`)).toBeVisible(soon)
  await expect(page.getByText('Requests prefer the others.')).toBeVisible()
  await expect(rowOf(page, victim)).toContainText('Slow')
  await expect(page.getByText('All 3 servers answer.')).toBeVisible()
  expect(loads(), 'the page was never loaded anew').toBe(0)
})
