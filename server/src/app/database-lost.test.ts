// The whole console while the cluster database is lost: pages, changes, and what is said of it.

import { randomUUID } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { eventually } from '../../testing/eventually.ts'
import type { TestApp } from '../../testing/test-app.ts'
import { clusterSeenBy, startTestApp } from '../../testing/test-app.ts'
import type { TestBrowser } from '../../testing/test-browser.ts'
import { clusterName } from '../../testing/test-world.ts'
import { pagesOfTheConsole } from '../../testing/tour.ts'

let app: TestApp
afterEach(() => app.close())

const evacuation = `/api/clusters/${clusterName}/members/server2/state`
const evacuate = { action: 'evacuate', mode: '' }

describe('with a stopped leader', () => {
  test('every page is answered from what is known, and says why it is old', async () => {
    app = await startTestApp()
    const admin = await app.signIn('admin')
    await lookAround(admin)
    await lose(admin, () => app.cluster.break('server1', 'stuck'), 'leader-silent')
    expect(await lateReads(admin)).toEqual([])
    const { text } = await admin.get(`/api/clusters/${clusterName}/members`)
    expect(text).toContain('"status":"Online"')
    expect(text).toContain('The cluster database does not answer.')
    const { text: instances } = await admin.get(`/api/clusters/${clusterName}/instances`)
    expect(instances).toContain('"kind":"stale"')
    expect(instances).toContain('The cluster database does not answer.')

    const viewer = await app.signIn('viewer')
    expect(await lateReads(viewer), 'to who has just signed in').toEqual([])
    const { text: first } = await viewer.get(`/api/clusters/${clusterName}/members`)
    expect(first).toContain('"name":"server2"')
    expect(first).toContain('The cluster database does not answer. It had not told you before')
  })

  test('T-never-twice: a change is refused before it is sent, is recorded, and can be asked for again with its key', async () => {
    app = await startTestApp()
    const admin = await app.signIn('admin')
    await lose(admin, () => app.cluster.break('server1', 'stuck'), 'leader-silent')
    const key = randomUUID()
    const refused = await admin.post(evacuation, evacuate, key)
    expect([refused.status, refused.json]).toEqual([503, expect.objectContaining({ code: 'database_unavailable' })])
    expect(app.cluster.executions).toEqual([])

    await app.cluster.mend('server1')
    await eventually(
      () => clusterSeenBy(admin),
      ({ database }) => database.kind === 'answers',
    )
    const done = await eventually(
      () => admin.post(evacuation, evacuate, key),
      ({ status }) => status === 202,
    )
    expect(done.status).toBe(202)
    expect(app.cluster.executions).toHaveLength(1)
    const changes = (await app.history()).filter(({ decision, phase }) => decision !== null && phase === 'outcome')
    expect(changes.map(({ out }) => out?.code).filter((code) => code === 'database_unavailable')).toHaveLength(1)
  })
})

test('without a quorum it says who is missing and since when, and is well again by itself', async () => {
  app = await startTestApp({ cluster: { leaderLeaseMs: 500 } })
  const admin = await app.signIn('admin')
  const live = await app.listen(admin)
  const before = Date.now()
  const loss = await lose(
    admin,
    () => Promise.all([app.cluster.break('server2', 'refusing'), app.cluster.break('server3', 'cut-off')]),
    'quorum',
  )
  await live.next('cluster-changed')
  expect(loss.holders).toEqual([
    { name: 'server1', leads: true, missing: null },
    { name: 'server2', leads: false, missing: { since: expect.any(String), symptom: 'refusing' } },
    { name: 'server3', leads: false, missing: { since: expect.any(String), symptom: 'unreachable' } },
  ])
  for (const { missing } of loss.holders) {
    expect(missing === null || Math.abs(Date.parse(missing.since) - before) < 3_000).toBe(true)
  }
  expect(await lateReads(admin)).toEqual([])
  await app.cluster.mendAll()
  const well = await eventually(
    () => clusterSeenBy(admin),
    ({ database, worst }) => database.kind === 'answers' && worst === 'healthy',
    25_000,
  )
  expect(well.panic).toBe(false)
})

test('a killed leader is told as such, until another one leads', async () => {
  app = await startTestApp({ cluster: { leaderTakeoverMs: 6_000 } })
  const admin = await app.signIn('admin')
  await lose(admin, () => app.cluster.break('server1', 'refusing'), 'leader-gone')
  const well = await eventually(
    () => clusterSeenBy(admin),
    ({ database }) => database.kind === 'answers',
    15_000,
  )
  expect(well.members).toEqual({ total: 3, answering: 2 })
  expect(app.cluster.leader).not.toBe('server1')
})

/** Breaks it, and waits until the console says what has become of the database. */
async function lose(browser: TestBrowser, breaks: () => Promise<unknown>, cause: string) {
  // Who holds it has to be known.
  await eventually(
    () => browser.get(`/api/clusters/${clusterName}/members`),
    ({ text }) => text.includes('database-leader'),
  )
  await breaks()
  const { database } = await eventually(
    () => clusterSeenBy(browser),
    (seen) => seen.database.kind === 'lost' && seen.database.cause === cause,
    12_000,
  )
  if (database.kind !== 'lost') throw new Error('it is not lost')
  return database
}

async function lookAround(browser: TestBrowser): Promise<void> {
  for (const path of pagesOfTheConsole(clusterName, 'server2')) await browser.get(path)
}

/** A machine that is busy is late once; whoever waits for a server is late every time. */
async function lateReads(browser: TestBrowser): Promise<string[]> {
  const late: string[] = []
  for (const path of pagesOfTheConsole(clusterName, 'server2')) {
    const tries = [await timed(browser, path), await timed(browser, path)]
    if (tries.every(({ ms, status }) => ms > 300 || status >= 500)) late.push(`${path} ${JSON.stringify(tries)}`)
  }
  return late
}

async function timed(browser: TestBrowser, path: string): Promise<{ ms: number; status: number }> {
  const startedAt = performance.now()
  const { status } = await browser.get(path)
  return { ms: Math.round(performance.now() - startedAt), status }
}
