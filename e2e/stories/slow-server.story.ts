import { expect } from '@playwright/test'
import { countLoads, rowOf, said, signIn, story } from '../support/story.ts'

// A server that runs a thirtieth of the time still answers some questions quickly, and three slow answers in a row are
// wanted before it is called slow: one that is late every time is named within two seconds, this one a little later.
const threeInARow = { timeout: 12_000 }

story('a server that answers late is called slow, and can still be used', async ({ page, stage }) => {
  const victim = await stage.victim()
  await signIn(page, 'Mika Kallio')
  await expect(page.getByText('All 3 servers answer.')).toBeVisible()
  const loads = countLoads(page)

  await stage.world.break(victim, 'slow')
  await expect(said(page, `${victim} is slow.`)).toBeVisible(threeInARow)
  await expect(page.getByText('Requests prefer the others.')).toBeVisible()
  await expect(rowOf(page, victim)).toContainText('Slow')
  await expect(page.getByText('All 3 servers answer.')).toBeVisible()
  expect(loads(), 'the page was never loaded anew').toBe(0)
})
