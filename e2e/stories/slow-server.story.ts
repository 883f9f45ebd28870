import { expect } from '@playwright/test'
import { countLoads, rowOf, said, signIn, soon, story } from '../support/story.ts'
import { whenSaid } from '../support/when-said.ts'

story('a server that answers late is called slow at once, and can still be used', async ({ page, stage }) => {
  const victim = await stage.victim()
  await signIn(page, 'Mika Kallio')
  await expect(page.getByText('All 3 servers answer.')).toBeVisible()
  const loads = countLoads(page)

  const named = whenSaid(page, `${victim} is slow.`)
  await stage.world.break(victim, 'slow')
  const slowSince = Date.now()
  await expect(said(page, `${victim} is slow.`)).toBeVisible()
  expect((await named) - slowSince, 'milliseconds until it is named').toBeLessThanOrEqual(2_000)
  await expect(page.getByText('Requests prefer the others.')).toBeVisible(soon)
  await expect(rowOf(page, victim)).toContainText('Slow', soon)
  await expect(page.getByText('All 3 servers answer.')).toBeVisible()

  // Ten answers in a row have to be in time.
  await stage.world.mend(victim)
  await expect(said(page, `${victim} is slow.`)).toBeHidden()
  await expect(rowOf(page, victim)).not.toContainText('Slow')
  expect(loads(), 'the page was never loaded anew').toBe(0)
})
