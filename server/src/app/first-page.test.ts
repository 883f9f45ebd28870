import { listEvents } from '@malleus/shared/api/events.ts'
import { getSession } from '@malleus/shared/api/session.ts'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { eventually } from '../../testing/eventually.ts'
import { startTestApp } from '../../testing/test-app.ts'
import type { TestApp } from '../../testing/test-app.ts'
import { clusterName } from '../../testing/test-world.ts'

// A whole console, on a machine that may have much to do.
vi.setConfig({ testTimeout: 45_000 })

let app: TestApp
beforeAll(async () => {
  app = await startTestApp({ cluster: { instances: 2 } })
})
afterAll(() => app.close())

test('what happens from the first answer to a page on is on its stream, so it reads nothing twice', async () => {
  const browser = await app.signIn('admin')
  // Listening began when they signed in; a page takes longer to come than it does.
  await eventually(
    async () => listEvents.reply.parse((await browser.get(`/api/clusters/${clusterName}/events`)).json),
    ({ listening }) => listening.length === 2,
  )
  const session = getSession.reply.parse((await browser.get('/api/session')).json)
  app.cluster.emit({ action: 'profile-updated', source: '/1.0/profiles/early' })

  const live = await browser.live(session.live)
  await live.next('resource-changed', ({ source }) => source === '/1.0/profiles/early')
  await app.untilHeard(live)
  const kinds = live.told.map(({ event }) => event.kind)
  expect(kinds.filter((kind) => kind === 'resync' || kind === 'events-missed')).toEqual([])
  expect(
    live.told.filter(({ event }) => event.kind === 'resource-changed' && event.source === '/1.0/profiles/early'),
  ).toHaveLength(1)
})
