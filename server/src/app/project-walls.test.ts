import { listOperations } from '@malleus/shared/api/operations.ts'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../../testing/eventually.ts'
import type { LiveClient } from '../../testing/live-client.ts'
import type { TestApp } from '../../testing/test-app.ts'
import { startTestApp } from '../../testing/test-app.ts'
import type { TestBrowser } from '../../testing/test-browser.ts'
import { clusterName, people } from '../../testing/test-world.ts'

// Where the console's certificate carries people's requests, Incus cannot tell them apart: the console keeps them to
// their projects.

/** Sees what their groups say at the moment: all projects, or `web` alone. */
const jo = { sub: 'u-jo', name: 'Jo', email: 'jo@example.net', groups: ['everywhere'] }

let app: TestApp

beforeEach(async () => {
  jo.groups = ['everywhere']
  app = await startTestApp({
    mode: 'certificate',
    provider: { people: [...Object.values(people), jo] },
    settings: {
      roles: {
        viewer: [{ groups: ['everywhere', 'staff'] }, { groups: ['web-people'], projects: ['web'] }],
        operator: [{ groups: ['web-operators'], projects: ['web'] }],
      },
    },
  })
})
afterEach(() => app.close())

describe('in certificate mode a person whose role ends at a project', () => {
  test('is listed the operations of the project and of the cluster, and no others', async () => {
    app.cluster.startOperation({ member: 'server1', description: 'of default', project: 'default' })
    app.cluster.startOperation({ member: 'server2', description: 'of web', project: 'web' })
    app.cluster.startOperation({ member: 'server3', description: 'of the cluster' })
    jo.groups = ['web-people']
    const limited = await signIn()
    expect(await descriptions(limited)).toEqual(['of the cluster', 'of web'])
    expect(await descriptions(await app.signIn('viewer'))).toEqual(['of default', 'of the cluster', 'of web'])
  })

  test('cancels work of that project, and none of another or of the cluster', async () => {
    const own = app.cluster.startOperation({ member: 'server1', description: 'of web', project: 'web' })
    const foreign = app.cluster.startOperation({ member: 'server2', description: 'of default', project: 'default' })
    const common = app.cluster.startOperation({ member: 'server3', description: 'of the cluster' })
    jo.groups = ['web-operators']
    const limited = await signIn()
    const live = await limited.live()
    await untilHeard(live)
    const progress = app.cluster.startOperation({ member: 'server1', description: 'of web, told live', project: 'web' })
    await live.next('operation-changed', ({ operation }) => operation.id === progress.id)
    expect(await descriptions(limited)).toContain('of the cluster')
    const cancel = (id: string, project: string | null) =>
      limited.post(`/api/clusters/${clusterName}/operations/${id}/cancel`, { project })
    expect((await cancel(progress.id, 'web')).status).toBe(202)
    expect((await cancel(common.id, null)).status).toBe(403)
    expect((await cancel(foreign.id, 'default')).status).toBe(403)
    // To say that it belongs to the own project does not make it so.
    expect((await cancel(foreign.id, 'web')).status).toBe(404)
    expect((await cancel(common.id, 'web')).status).toBe(404)
    expect([own, foreign, common].map(({ status }) => status)).toEqual(['Running', 'Running', 'Running'])
  })

  test('hears nothing of other projects, also when another of their sessions does', async () => {
    const before = await app.listen(await signIn())
    jo.groups = ['web-people']
    const browser = await signIn()
    const after = await browser.live()
    await untilHeard(after)

    app.cluster.startOperation({ member: 'server1', description: 'of default', project: 'default' })
    app.cluster.emit({ action: 'instance-started', source: '/1.0/instances/c1', project: 'default' })
    await before.next('resource-changed', ({ source }) => source === '/1.0/instances/c1')
    await untilHeard(after)

    expect(JSON.stringify(before.told)).toContain('of default')
    expect(JSON.stringify(after.told)).not.toContain('of default')
    expect(JSON.stringify(after.told)).not.toContain('/1.0/instances/c1')
  })

  test('is held to it as soon as the provider says so, on streams that are open too', async () => {
    app.provider.accessTokenSeconds = 2
    const browser = await signIn()
    const live = await app.listen(browser)
    jo.groups = ['web-people']
    await eventually(
      async () => {
        await descriptions(browser)
        return app.provider.refreshes
      },
      (refreshes) => refreshes > 0,
    )
    await live.next('goaway')
    await live.ended
    app.cluster.startOperation({ member: 'server1', description: 'of default', project: 'default' })
    expect(await descriptions(browser)).toEqual([])
  }, 30_000)
})

/** Something in their own project, until the stream tells it. */
async function untilHeard(live: LiveClient): Promise<void> {
  const from = live.told.length
  await eventually(
    () => {
      app.cluster.emit({ action: 'instance-started', source: '/1.0/instances/w1?project=web', project: 'web' })
      return live.told.slice(from).some(({ event }) => event.kind === 'resource-changed' && event.project === 'web')
    },
    (heard) => heard,
  )
}

async function signIn(): Promise<TestBrowser> {
  const browser = app.browser()
  expect(await browser.signIn(jo.sub)).toBe('/')
  return browser
}

async function descriptions(browser: TestBrowser): Promise<string[]> {
  const { operations } = await eventually(
    async () => listOperations.reply.parse((await browser.get(`/api/clusters/${clusterName}/operations`)).json),
    ({ freshness }) => freshness.kind === 'fresh',
  )
  return operations.map(({ description }) => description).toSorted()
}
