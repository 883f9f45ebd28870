import { listInstances } from '@malleus/shared/api/instances.ts'
import type { ReplyOf } from '@malleus/shared/api/endpoint.ts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../../testing/eventually.ts'
import type { TestApp } from '../../testing/test-app.ts'
import { clusterSeenBy, startTestApp } from '../../testing/test-app.ts'
import type { TestBrowser } from '../../testing/test-browser.ts'
import { clusterName } from '../../testing/test-world.ts'

// The list of instances as a browser gets it, while Incus itself would wait 30 s for a server.

type List = ReplyOf<typeof listInstances>

let app: TestApp
beforeEach(async () => {
  app = await startTestApp({ cluster: { instances: 4 } })
})
afterEach(() => app.close())

async function list(browser: TestBrowser, since?: string): Promise<List> {
  const query = since === undefined ? '' : `?${new URLSearchParams({ since }).toString()}`
  const reply = await browser.get(`/api/clusters/${clusterName}/instances${query}`)
  expect(reply.status).toBe(200)
  return listInstances.reply.parse(reply.json)
}

/** The median of five: this machine may have other work. */
async function timed(get: () => Promise<List>): Promise<{ readonly list: List; readonly ms: number }> {
  const tries: { list: List; ms: number }[] = []
  for (let count = 0; count < 5; count += 1) {
    const begun = performance.now()
    tries.push({ list: await get(), ms: performance.now() - begun })
  }
  const [, , median] = tries.toSorted((a, b) => a.ms - b.ms)
  if (median === undefined) throw new Error('nothing was tried')
  return median
}

const kinds = ({ members }: List) => Object.fromEntries(members.map(({ name, freshness: { kind } }) => [name, kind]))

async function stuck(member: string): Promise<void> {
  const browser = await app.signIn('viewer')
  await app.cluster.break(member, 'stuck')
  await eventually(
    () => clusterSeenBy(browser),
    ({ worst }) => worst === 'ejected',
  )
}

describe('the list of instances', () => {
  it('takes no longer while a server is stuck, and says whose rows are the last known', async () => {
    const browser = await app.signIn('viewer')
    await eventually(
      () => list(browser),
      ({ instances }) => instances.length === 12 && instances.every(({ status }) => status !== null),
    )
    await stuck('server3')
    const { list: seen, ms } = await timed(() => list(browser))
    expect(ms).toBeLessThan(300)
    expect(seen.instances.filter(({ location }) => location === 'server3').map(({ status }) => status)).toEqual(
      app.cluster.instances.filter(({ location }) => location === 'server3').map(({ status }) => status),
    )
    expect(kinds(seen)).toEqual({ server1: 'fresh', server2: 'fresh', server3: 'stale' })
  })

  it('has the names for a person who signs in while a server is stuck', async () => {
    await stuck('server3')
    const browser = await app.signIn('operator')
    const { list: seen, ms } = await timed(() => list(browser))
    expect(ms).toBeLessThan(300)
    expect(seen.instances.map(({ name }) => name)).toEqual(app.cluster.instances.map(({ name }) => name))
    expect(kinds(seen)).toEqual({ server1: 'unavailable', server2: 'unavailable', server3: 'unavailable' })
  })

  it('is told to have changed by the live stream, and then tells what', async () => {
    const browser = await app.signIn('viewer')
    const live = await app.listen(browser)
    const { revision } = await eventually(
      () => list(browser),
      ({ instances }) => instances.length === 12 && instances.every(({ status }) => status !== null),
    )
    const [first] = app.cluster.instances
    if (first === undefined) throw new Error('there are no instances')
    first.status = 'Frozen'
    const before = live.told.length
    app.cluster.emit({
      action: 'instance-paused',
      source: `/1.0/instances/${first.name}${first.project === 'default' ? '' : `?project=${first.project}`}`,
      project: first.project,
      name: first.name,
    })
    await live.next('instances-changed', ({ cluster }) => cluster === clusterName, before)
    // The news of the first list may have come only now.
    const change = await eventually(
      () => list(browser, revision),
      ({ instances }) => instances.length > 0,
    )
    expect(change).toMatchObject({ whole: false, instances: [{ name: first.name, status: 'Frozen' }], gone: [] })
  })

  it('is never that of another person', async () => {
    app.cluster.setAccess('sam@example.net', { may: 'view', projects: ['web'] })
    const [all, some] = [await app.signIn('admin'), await app.signIn('viewer')]
    const told = ({ instances }: List) => instances.length > 0 && instances.every(({ status }) => status !== null)
    const [everything, web] = [await eventually(() => list(all), told), await eventually(() => list(some), told)]
    expect(everything.instances).toHaveLength(12)
    expect(web.instances.map(({ project }) => project)).toEqual(web.instances.map(() => 'web'))
    expect(web.instances.length).toBeLessThan(12)
    // A revision is worth nothing to another one.
    expect(await list(some, everything.revision)).toMatchObject({ whole: true })
  })

  it('is refused to who may not see the cluster, and to the auditor', async () => {
    const statuses = await Promise.all(
      (['guest', 'auditor'] as const).map(async (person) => {
        const browser = await app.signIn(person).catch(() => app.browser())
        return (await browser.get(`/api/clusters/${clusterName}/instances`)).status
      }),
    )
    expect(statuses).toEqual([401, 403])
  })
})
