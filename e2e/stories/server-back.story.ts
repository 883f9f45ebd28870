import { expect } from '@playwright/test'
import { countLoads, rowOf, signIn, story } from '../support/story.ts'

for (const fault of ['stuck', 'cut-off', 'slow'] as const) {
  story(`a server that was ${fault} is back by itself when it answers`, async ({ page, stage }) => {
    const victim = await stage.victim()
    await stage.world.break(victim, fault)
    await signIn(page, 'Mika Kallio')
    await expect(rowOf(page, victim)).not.toContainText(/Recovering|Healthy/)
    const loads = countLoads(page)

    await stage.world.mend(victim)
    // One that failed often has to prove itself for up to a minute.
    await expect(rowOf(page, victim)).toContainText(/Recovering|Healthy/, { timeout: 20_000 })
    await expect(page.getByText('All 3 servers answer.')).toBeVisible()
    await expect(rowOf(page, victim)).not.toContainText('≠', { timeout: 20_000 })
    expect(loads(), 'the page was never loaded anew').toBe(0)
  })
}
