import { listMySessions, listSessions } from '@malleus/shared/api/sessions.ts'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { eventually } from '../../testing/eventually.ts'
import { startTestApp } from '../../testing/test-app.ts'
import type { TestApp } from '../../testing/test-app.ts'
import type { TestBrowser } from '../../testing/test-browser.ts'
import { problemOf } from '../../testing/test-browser.ts'

// A whole console, on a machine that may have much to do.
vi.setConfig({ testTimeout: 45_000 })

let app: TestApp

beforeEach(async () => {
  app = await startTestApp()
})
afterEach(() => app.close())

async function mine(browser: TestBrowser) {
  const reply = await browser.get('/api/sessions/mine')
  return listMySessions.reply.parse(reply.json).sessions
}

async function everybody(browser: TestBrowser) {
  const reply = await browser.get('/api/sessions')
  return listSessions.reply.parse(reply.json).sessions
}

test('people see where they are signed in, and end what is theirs and nothing else', async () => {
  const desk = await app.signIn('viewer')
  const phone = await app.signIn('viewer')
  await app.signIn('operator')

  const sessions = await eventually(
    () => mine(desk),
    (all) => all.length >= 2 && all.every(({ address }) => address !== null),
  )
  expect(sessions.every(({ name, usedAt, since }) => name === 'Sam Viewer' && usedAt >= since)).toBe(true)
  expect(sessions.filter(({ current }) => current)).toHaveLength(1)

  const other = (await mine(phone)).find(({ current }) => current)
  expect(sessions.map(({ id }) => id)).toContain(other?.id)
  expect((await desk.post('/api/sessions/mine/end', { id: other?.id })).status).toBe(200)
  const after = await eventually(
    () => phone.get('/api/session'),
    ({ status }) => status === 401,
  )
  expect(problemOf(after).code).toBe('session_expired')
  expect(await mine(desk)).toHaveLength(sessions.length - 1)
  expect((await desk.post('/api/sessions/mine/end', { id: other?.id })).status).toBe(404)

  const admin = await app.signIn('admin')
  const foreign = (await everybody(admin)).find(({ name }) => name === 'Jo Operator')
  expect((await desk.post('/api/sessions/mine/end', { id: foreign?.id ?? 'none' })).status).toBe(404)
  expect((await desk.get('/api/sessions')).status).toBe(403)
  expect((await desk.post('/api/sessions/end', { id: 'any' })).status).toBe(403)
})

test('an administrator ends anybody’s session, with its live stream within five seconds, and it is recorded', async () => {
  const viewer = await app.signIn('viewer')
  const live = await app.listen(viewer)
  const admin = await app.signIn('admin')
  const theirs = (await mine(viewer)).find(({ current }) => current)
  const sessions = await eventually(
    () => everybody(admin),
    (all) => all.every(({ name }) => name !== null),
  )
  expect(sessions.find(({ id }) => id === theirs?.id)?.name).toBe('Sam Viewer')
  const begun = performance.now()
  expect((await admin.post('/api/sessions/end', { id: theirs?.id })).status).toBe(200)
  await live.ended
  expect(performance.now() - begun).toBeLessThan(5_500)
  expect((await viewer.get('/api/session')).status).toBe(401)
  const records = await eventually(
    () => app.history(),
    (all) =>
      all.some(({ action, phase, object }) => action === 'session.end' && phase === 'outcome' && object === theirs?.id),
  )
  expect(records.some(({ action, phase }) => action === 'session.end' && phase === 'intent')).toBe(true)
})
