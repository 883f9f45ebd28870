import { expect } from '@playwright/test'
import { countLoads, goTo, liveStreams, part, rowOf, signIn, soon, story } from '../support/story.ts'

story(
  'T-rolling: the console is started anew, and whoever has it open stays where they are',
  async ({ page, stage, complaints }) => {
    await signIn(page, 'Mika Kallio', '/clusters/lab/members')
    await expect(rowOf(page, 'server2')).toContainText('Online')
    await expect.poll(() => liveStreams(stage)).toBe(1)
    const loads = countLoads(page)

    await stage.restartConsole(async () => {
      // Nobody listens now, and somebody goes to a page that has to be read.
      await goTo(page, 'Instances')
    })
    await expect.poll(() => liveStreams(stage), soon).toBe(1)
    const instances = page.getByRole('table', { name: 'Instances' })
    await expect(instances.getByRole('row', { name: 'web-server1' })).toContainText('Running')
    await expect(page.getByRole('alert')).toHaveCount(0)

    await goTo(page, 'Servers')
    await expect(rowOf(page, 'server3')).toContainText('Healthy', { timeout: 15_000 })
    await rowOf(page, 'server3').getByRole('link', { name: 'server3' }).click()
    await stage.describe('server3', 'rack 7')
    await expect(part(page, 'What the cluster says').getByText('rack 7')).toBeVisible({ timeout: 20_000 })
    await stage.describe('server3', '')
    expect(loads(), 'the page was never loaded anew').toBe(0)
    // Chromium writes down that nobody listened; the page's own part was read again.
    const others = complaints.take().filter((complaint) => !complaint.endsWith('net::ERR_CONNECTION_REFUSED'))
    expect(others).toEqual([])
  },
)
