import { expect } from '@playwright/test'
import { countLoads, signIn, story } from '../support/story.ts'

story(
  'without any server at its start the console starts, says so, and recovers by itself',
  async ({ page, stage }) => {
    const { members } = stage.world
    await stage.restartConsole(async () => {
      await Promise.all(members.map((name) => stage.world.break(name, 'cut-off')))
    })
    await signIn(page, 'Mika Kallio')
    await expect(page.getByRole('heading', { name: 'lab is not reachable' })).toBeVisible()
    await expect(page.getByText('What you see is what was last known.')).toBeVisible()
    const loads = countLoads(page)

    await Promise.all(members.map((name) => stage.world.mend(name)))
    await expect(page.getByRole('heading', { name: 'lab is reachable' })).toBeVisible({ timeout: 30_000 })
    await expect(page.getByText('All 3 servers answer.')).toBeVisible({ timeout: 30_000 })
    expect(loads(), 'the page was never loaded anew').toBe(0)
  },
)
