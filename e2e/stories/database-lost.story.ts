import type { Page } from '@playwright/test'
import { expect } from '@playwright/test'
import { expectAccessible } from '../support/axe.ts'
import { lateReads, readsOfEveryPage } from '../support/page-reads.ts'
import type { Stage } from '../support/stage.ts'
import { countLoads, goTo, part, rowOf, signIn, story } from '../support/story.ts'

// Each waits for Incus itself: for its leader, for its quorum, and for its daemons to start.
story.setTimeout(150_000)

// Deep questions wait two seconds for an answer, after up to one in which the server is found to be silent.
const noticed = { timeout: 10_000 }
const recovered = { timeout: 60_000 }

story(
  'while a killed leader is replaced every page answers, and the console says so and when it is over',
  async ({ page, stage }) => {
    const { leader, others } = await rolesOf(stage)
    await signIn(page, 'Mika Kallio')
    const reads = await readsOfEveryPage(page, others[0])
    const loads = countLoads(page)

    await stage.world.break(leader, 'refusing')
    const direct = whatBecomesOf(stage, '/1.0/profiles')
    expect(await lateReads(page, reads), 'before it is noticed').toEqual([])
    const loss = part(page, 'Cluster database')
    await expect(loss).toContainText('The cluster database changes its leader.', noticed)
    expect(direct.end, 'Incus itself still waits for a leader').toBe('waiting')
    await expect(loss).toContainText(`${leader} led it and has ended.`)
    await expect(loss).toContainText(`${leader} (leader) refuses connections, no answer for`)
    expect(await lateReads(page, reads), 'once it is noticed').toEqual([])

    await expect(loss).toHaveCount(0, recovered)
    await expect(page.getByRole('heading', { name: 'lab is reachable' })).toBeVisible()
    await expect(page.getByText(`2 of 3 servers answer. Requests skip ${leader}`)).toBeVisible()
    await goTo(page, 'Servers')
    await expect(page.getByRole('table', { name: 'Servers' })).toContainText('Leader')
    await expect(rowOf(page, leader)).not.toContainText('Leader')
    expect(loads(), 'the page was never loaded anew').toBe(0)
  },
)

story(
  'while everybody waits for a stopped leader every page answers, nothing can be changed, and it passes by itself',
  async ({ page, stage }) => {
    const { leader, others } = await rolesOf(stage)
    await signIn(page, 'Mika Kallio')
    const reads = await readsOfEveryPage(page, others[0])
    const loads = countLoads(page)

    await stage.world.break(leader, 'stuck')
    const direct = whatBecomesOf(stage, '/1.0/profiles')
    expect(await lateReads(page, reads), 'before it is noticed').toEqual([])
    const loss = part(page, 'Cluster database')
    await expect(loss).toContainText('The cluster database waits for its leader.', noticed)
    await expect(loss).toContainText(`${leader} leads it and is stuck. The other servers wait for it`)
    expect(await lateReads(page, reads), 'once it is noticed').toEqual([])

    await expect(page.getByRole('heading', { name: 'lab is read-only' })).toBeVisible()
    await expect(loss).toContainText('Changes of every kind.')
    await expect(loss).toContainText('Instances go on running.')
    await loss.getByText('How to get it back').click()
    await expect(loss.getByText('--signal=SIGCONT incus.service')).toBeVisible()
    await expect(loss.getByText(`on ${leader}`).first()).toBeVisible()
    await expectAccessible(page, 'Overview with a lost database')

    const refusal = await evacuate(page, others[0])
    expect(refusal).toMatchObject({ status: 503, code: 'database_unavailable' })
    expect(refusal.ms).toBeLessThan(1_000)
    await goTo(page, 'Instances')
    await expect(page.getByRole('alert').filter({ hasText: 'The cluster database waits' })).toBeVisible()
    await expect(page.getByText('the cluster database does not answer.')).toBeVisible()
    await goTo(page, 'Servers')
    await rowOf(page, others[0]).getByRole('link', { name: others[0] }).click()
    const button = page.getByRole('button', { name: 'Evacuate…' })
    await expect(button).toHaveAttribute('aria-disabled', 'true')
    await button.focus()
    await expect(page.getByRole('tooltip')).toContainText(
      'The cluster database does not answer; nothing can be changed',
    )
    expect(direct.end, 'Incus itself still waits for the leader').toBe('waiting')

    await goTo(page, 'Overview')
    await expect(loss).toHaveCount(0, recovered)
    await expect(page.getByRole('heading', { name: 'lab is reachable' })).toBeVisible()
    expect(stage.world.broken().get(leader), 'the leader is still stopped').toBe('stuck')
    expect(loads(), 'the page was never loaded anew').toBe(0)
  },
)

story(
  'with two of three servers gone every page answers, also to who has just signed in and from a console that has just started',
  async ({ page, stage, browser }) => {
    const { leader, others } = await rolesOf(stage)
    const [left, ...alsoGone] = others
    const gone = [leader, ...alsoGone]
    await signIn(page, 'Mika Kallio')
    const reads = await readsOfEveryPage(page, left)

    await Promise.all(gone.map((name) => stage.world.break(name, 'refusing')))
    expect(await lateReads(page, reads), 'before it is noticed').toEqual([])
    const loss = part(page, 'Cluster database')
    await expect(loss).toContainText('The cluster database has lost its quorum.', noticed)
    await expect(loss).toContainText('2 of the 3 servers that hold it do not answer, and it needs 2.')
    for (const name of gone) await expect(loss).toContainText(new RegExp(`${name}( \\(leader\\))? refuses connections`))
    await expect(loss.getByText('sudo systemctl start incus.service', { exact: true })).toHaveCount(2)
    await loss.getByText('Only if the missing servers never come back').click()
    await expect(loss.getByText('sudo incus admin cluster recover-from-quorum-loss')).toBeVisible()
    await expect(page.getByText('1 of 3 servers answers, and does not reach the cluster database.')).toBeVisible()
    await expect(rowOf(page, left)).toContainText('Healthy')
    await expect(rowOf(page, left)).toContainText('Online')
    expect(await lateReads(page, reads), 'once it is noticed').toEqual([])
    await expectAccessible(page, 'Overview without a quorum')

    const somebody = await browser.newPage({ baseURL: stage.url, ignoreHTTPSErrors: true })
    await signIn(somebody, 'Sam Okoro', '/clusters/lab/members')
    await expect(rowOf(somebody, left)).toContainText('Healthy')
    await expect(somebody.getByRole('alert').filter({ hasText: 'has lost its quorum' })).toBeVisible()
    expect(await lateReads(somebody, reads), 'to who has just signed in').toEqual([])

    await stage.restartConsole(async () => {})
    await somebody.reload()
    await expect(rowOf(somebody, left)).toContainText('Healthy', { timeout: 5_000 })
    expect(await lateReads(somebody, reads), 'from a console that has just started').toEqual([])
    await expect(somebody.getByRole('alert').filter({ hasText: 'has lost its quorum' })).toBeVisible()
    await goTo(somebody, 'Instances')
    await expect(
      somebody.getByText('Which instances there are is not known: the cluster database does not'),
    ).toBeVisible()
    await somebody.close()

    await Promise.all(gone.map((name) => stage.world.mend(name)))
    await expect(page.getByRole('heading', { name: 'lab is reachable' })).toBeVisible(recovered)
    await expect(loss).toHaveCount(0)
    await expect(page.getByText('All 3 servers answer.')).toBeVisible(recovered)
    await expect(rowOf(page, left)).toContainText('Online')
  },
)

async function rolesOf(stage: Stage): Promise<{ leader: string; others: [string, ...string[]] }> {
  const leader = await stage.lab.leader()
  const [other, ...rest] = stage.world.members.filter((name) => name !== leader)
  if (other === undefined) throw new Error('the cluster has one member only')
  return { leader, others: [other, ...rest] }
}

/** The same question to Incus itself, through a server that answers. */
function whatBecomesOf({ lab }: Stage, path: string): { readonly end: string } {
  const asked = { end: 'waiting' }
  void lab.incus(['query', path]).then(
    () => (asked.end = 'answered'),
    () => (asked.end = 'failed'),
  )
  return asked
}

/** As the page would ask for it, if its button could be pressed. */
async function evacuate(page: Page, server: string): Promise<{ status: number; code: string; ms: number }> {
  return page.evaluate(async (name) => {
    const startedAt = performance.now()
    const answer = await fetch(`/api/clusters/lab/members/${name}/state`, {
      method: 'POST',
      headers: {
        'x-console-request': '1',
        'content-type': 'application/json',
        'idempotency-key': crypto.randomUUID(),
      },
      body: JSON.stringify({ action: 'evacuate', mode: '' }),
    })
    const body: unknown = await answer.json()
    const code = typeof body === 'object' && body !== null && 'code' in body ? String(body.code) : ''
    return { status: answer.status, code, ms: performance.now() - startedAt }
  }, server)
}
