import { expect } from '@playwright/test'
import { lateReads, readsOfEveryPage } from '../support/page-reads.ts'
import { part, rowOf, signIn, soon, story } from '../support/story.ts'

// Each looks at every page several times.
story.setTimeout(120_000)

// Incus passes a question about one server on to that server, and waits for it. These are the pages that show what only
// such a server can tell.

story('what only a stuck server can tell is shown as it last told it, with its age', async ({ page, stage }) => {
  const victim = await stage.victim()
  await signIn(page, 'Mika Kallio', `/clusters/lab/members/${victim}`)
  const machine = part(page, 'Machine')
  await expect(machine).toContainText('cores')
  const reads = await readsOfEveryPage(page, victim)
  const old = machine.getByTitle(/^As of .*The server is stuck\.$/)
  await expect(old).toHaveCount(0)

  await stage.world.break(victim, 'stuck')
  // What the console is compared with: the same question to a server that answers, which waits for the one that does not.
  let direct = 'waiting'
  void stage.lab.incus(['query', `/1.0/cluster/members/${victim}/state`]).then(
    () => (direct = 'answered'),
    () => (direct = 'failed'),
  )
  expect(await lateReads(page, reads), 'before it is noticed').toEqual([])
  await expect(part(page, 'Health')).toContainText(`${victim} is stuck.`, soon)
  await expect(machine).toContainText('cores')
  await expect(old.first()).toBeVisible(soon)
  expect(await lateReads(page, reads), 'once it is noticed').toEqual([])
  expect(direct, 'Incus itself still waits for the stuck server').toBe('waiting')

  await stage.world.mend(victim)
  await expect(old).toHaveCount(0, { timeout: 30_000 })
  await expect(machine).toContainText('cores')
})

story('who signs in while a server is stuck has an answer on every page', async ({ page, stage, browser }) => {
  const victim = await stage.victim()
  await signIn(page, 'Mika Kallio')
  const reads = await readsOfEveryPage(page, victim)
  // Nothing is known of what anybody was told before.
  await stage.restartConsole(async () => {})

  await stage.world.break(victim, 'stuck')
  const somebody = await browser.newPage({ baseURL: stage.url, ignoreHTTPSErrors: true })
  await signIn(somebody, 'Jo Lindgren', '/clusters/lab/members')
  await expect(rowOf(somebody, victim)).toContainText('Stuck', soon)
  await expect(rowOf(somebody, 'server1')).toContainText('Online')
  expect(await lateReads(somebody, reads)).toEqual([])
  await somebody.close()
})
