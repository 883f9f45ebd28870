import { getSession } from '@malleus/shared/api/session.ts'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { eventually } from '../../testing/eventually.ts'
import { startTestApp } from '../../testing/test-app.ts'
import type { TestApp } from '../../testing/test-app.ts'

// A whole console, on a machine that may have much to do.
vi.setConfig({ testTimeout: 45_000 })

let app: TestApp
beforeAll(async () => {
  app = await startTestApp({ cluster: { instances: 2 } })
})
afterAll(() => app.close())

test('what happens from the first answer to a page on is on its stream, so it reads nothing twice', async () => {
  const before = app.cluster.eventStreams
  const browser = await app.signIn('admin')
  await eventually(
    () => app.cluster.eventStreams,
    (streams) => streams >= before + 2,
  )
  await eventually(
    async () => getSession.reply.parse((await browser.get('/api/session')).json).live,
    (live) => !live?.endsWith('-0'),
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
