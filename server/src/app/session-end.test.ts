import { getSession } from '@malleus/shared/api/session.ts'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { eventually } from '../../testing/eventually.ts'
import { startTestApp } from '../../testing/test-app.ts'
import type { TestApp } from '../../testing/test-app.ts'
import { problemOf } from '../../testing/test-browser.ts'
import { clusterName, people } from '../../testing/test-world.ts'

// A whole console, on a machine that may have much to do.
vi.setConfig({ testTimeout: 45_000 })

let app: TestApp
afterEach(() => app.close())

describe('a session', () => {
  test('that the provider ended is refused within a second, and its streams end at once', async () => {
    app = await startTestApp()
    const admin = await app.signIn('admin')
    const viewer = await app.signIn('viewer')
    const live = await app.listen(admin)
    const untouched = await app.listen(viewer)

    const endedAt = performance.now()
    await app.provider.endSession(people.admin.sub)
    expect(app.provider.backchannelErrors).toEqual([])
    await live.next('session-ended')
    await live.ended
    expect(performance.now() - endedAt).toBeLessThan(1_000)
    const refused = await eventually(
      () => admin.get('/api/session'),
      ({ status }) => status !== 200,
    )
    expect(performance.now() - endedAt).toBeLessThan(1_000)
    expect(problemOf(refused)).toMatchObject({ status: 401, code: 'session_expired' })
    expect((await viewer.get('/api/session')).status).toBe(200)
    await app.untilHeard(untouched)
    const ends = await eventually(
      async () => (await app.history()).filter(({ action }) => action === 'session.end'),
      (records) => records.length > 0,
    )
    expect(ends).toHaveLength(1)
  })

  test('of one person answers no page of another, whatever the cookie of the browser says by now', async () => {
    app = await startTestApp()
    const browser = await app.signIn('admin')
    const { principal } = getSession.reply.parse((await browser.get('/api/session')).json)
    const page = { 'x-malleus-person': principal.tag }
    expect((await browser.get('/api/clusters', page)).status).toBe(200)

    // Somebody else signs in in the same browser.
    for (const [name, value] of (await app.signIn('viewer')).cookies) browser.cookies.set(name, value)
    const refused = await browser.get('/api/clusters', page)
    expect(problemOf(refused)).toMatchObject({ status: 401, code: 'other_person' })
    expect((await browser.get('/api/live', page)).status).toBe(401)
    expect((await browser.get('/api/clusters')).status).toBe(200)
  })

  test('that its person renews in the same browser has its streams go on with the new one', async () => {
    app = await startTestApp()
    const browser = await app.signIn('admin')
    const live = await app.listen(browser)
    const from = live.told.length
    const before = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    expect(await browser.signIn(people.admin.sub)).toBe('/')
    // What the page had asked for with the old cookie is answered after the browser got the new one, and leaves it that.
    const late = await browser.get('/api/session', { cookie: before })
    expect([problemOf(late)?.code, late.headers['set-cookie']]).toEqual(['session_renewed', undefined])
    await live.next('goaway', () => true, from)
    await live.ended
    const again = await browser.live()
    await app.untilHeard(again)
  })

  test('is renewed once at a time under load, with no request failing', async () => {
    app = await startTestApp({ provider: { accessTokenSeconds: 2 } })
    const admin = await app.signIn('admin')
    const before = app.provider.refreshes
    const statuses: number[] = []
    await eventually(
      async () => {
        const replies = await Promise.all(
          Array.from({ length: 20 }, () => admin.get(`/api/clusters/${clusterName}/members/server1`)),
        )
        statuses.push(...replies.map(({ status }) => status))
        return app.provider.refreshes - before
      },
      (refreshes) => refreshes >= 3,
    )
    expect(new Set(statuses)).toEqual(new Set([200]))
    // A refresh token that is used twice ends the session at this provider: it was not.
    expect((await admin.get('/api/session')).status).toBe(200)
    expect(statuses.length).toBeGreaterThan(40)
  })

  test('that ended takes nothing from another session of the same person', async () => {
    app = await startTestApp()
    const [first, second] = [await app.signIn('viewer'), await app.signIn('viewer')]
    // Both share what the cluster tells, which was subscribed to with the first one's token.
    await app.listen(first)
    const live = await app.listen(second)
    await first.signOut()
    await overturnSubscriptions()
    await app.untilHeard(live)
    expect([(await first.get('/api/session')).status, (await second.get('/api/session')).status]).toEqual([401, 200])
  })
})

/** Every subscription to events breaks; those who listen subscribe again. */
async function overturnSubscriptions(): Promise<void> {
  for (const member of app.cluster.members) {
    await app.cluster.break(member, 'refusing')
    await app.cluster.mend(member)
  }
}
