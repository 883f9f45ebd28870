import { Problem } from '@malleus/shared/api/problem.ts'
import { afterEach, describe, expect, it } from 'vitest'
import { startTestDoor, type TestDoor, type TestDoorOptions } from '../../testing/test-door.ts'
import type { PageRequest } from './auth-pages.ts'

const doors: TestDoor[] = []
afterEach(async () => {
  await Promise.all(doors.splice(0).map((door) => door.close()))
})

async function start(options: Partial<TestDoorOptions> = {}) {
  const asked: PageRequest[] = []
  const test = await startTestDoor({
    routes: [],
    trustedProxies: ['127.0.0.1'],
    pages: {
      login: async (request) => {
        asked.push(request)
        return { status: 303, location: 'https://idp.example.net/auth', cookies: ['a=1; Secure', 'b=2'] }
      },
      callback: () => Promise.reject(Object.assign(new Error('internals'), { code: 'sign_in_failed' })),
      logout: async () => ({ status: 200, body: { continueTo: '/bye' }, headers: { 'clear-site-data': '"cache"' } }),
      backchannelLogout: async (request) => {
        asked.push(request)
        return { status: 200 }
      },
    },
    ...options,
  })
  doors.push(test)
  return { ...test, asked }
}

const navigation = { 'x-console-request': undefined, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }
const form = { ...navigation, 'content-type': 'application/x-www-form-urlencoded', origin: undefined }

describe('the pages of signing in', () => {
  it('are reached by a link from anywhere, and say where to go on', async () => {
    const { ask, asked } = await start()
    const reply = await ask('/auth/login?returnTo=%2Fservers', {
      as: null,
      headers: { ...navigation, cookie: 'c=3', 'user-agent': 'a browser', 'x-forwarded-for': '203.0.113.9' },
    })
    expect([reply.status, reply.headers.location]).toEqual([303, 'https://idp.example.net/auth'])
    expect(reply.headers['set-cookie']).toEqual(['a=1; Secure', 'b=2'])
    expect(reply.headers['cache-control']).toBe('no-store')
    expect(asked).toEqual([
      {
        requestId: reply.headers['x-request-id'],
        query: 'returnTo=%2Fservers',
        cookieHeader: 'c=3',
        clientAddress: '203.0.113.9',
        via: '127.0.0.1',
        userAgent: 'a browser',
      },
    ])
  })

  it('fail with a code and without what happened inside', async () => {
    const { ask } = await start()
    const reply = await ask('/auth/callback?code=x', { as: null, headers: navigation })
    expect(Problem.parse(JSON.parse(reply.text)).code).toBe('sign_in_failed')
    expect(reply.text).not.toContain('internals')
  })

  it('are limited per address', async () => {
    const { ask } = await start({ limits: { signInsPerMinute: 2 } })
    const statuses = []
    for (let n = 0; n < 3; n += 1) statuses.push((await ask('/auth/login', { as: null, headers: navigation })).status)
    expect(statuses).toEqual([303, 303, 429])
  })

  it.each([
    ['/auth/login', 'POST', 405],
    ['/auth/callback', 'PUT', 405],
    ['/auth/logout', 'GET', 405],
    ['/auth/backchannel-logout', 'GET', 405],
    ['/auth/elsewhere', 'GET', 404],
  ])('%s by %s is %s', async (path, method, status) => {
    const { ask } = await start()
    expect((await ask(path, { method, ...(method !== 'GET' && { body: '{}' }) })).status).toBe(status)
  })
})

describe('signing out', () => {
  it('is limited per address, because a cookie is looked for', async () => {
    const { ask } = await start({ limits: { anonymousPerSecond: 2 } })
    const signOut = () => ask('/auth/logout', { method: 'POST', as: null, body: '{}' })
    const statuses: number[] = []
    for (let n = 0; n < 3; n += 1) statuses.push((await signOut()).status)
    expect(statuses[2]).toBe(429)
    expect(statuses.slice(0, 2)).not.toContain(429)
  })

  it('answers where to go, and clears the cache', async () => {
    const { ask } = await start()
    const reply = await ask('/auth/logout', { method: 'POST', body: '{}' })
    expect([reply.status, JSON.parse(reply.text)]).toEqual([200, { continueTo: '/bye' }])
    expect(reply.headers['clear-site-data']).toBe('"cache"')
  })

  it('takes JSON only', async () => {
    const { ask } = await start()
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    expect((await ask('/auth/logout', { method: 'POST', body: 'a=b', headers })).status).toBe(415)
  })
})

describe('the provider says that a session has ended', () => {
  it('with one token in a form', async () => {
    const { ask, asked } = await start()
    const reply = await ask('/auth/backchannel-logout', {
      method: 'POST',
      as: null,
      body: 'logout_token=a.b.c',
      headers: form,
    })
    expect(reply.status).toBe(200)
    expect(asked).toMatchObject([{ logoutToken: 'a.b.c' }])
  })

  it.each([
    ['nothing', '', form, 400],
    ['two tokens', 'logout_token=a&logout_token=b', form, 400],
    ['JSON', '{"logout_token":"a"}', { ...form, 'content-type': 'application/json' }, 415],
    ['too much', `logout_token=${'a'.repeat(17_000)}`, form, 413],
  ])('not with %s', async (_, body, headers, status) => {
    const { ask, asked } = await start()
    const reply = await ask('/auth/backchannel-logout', { method: 'POST', as: null, body, headers })
    expect(reply.status).toBe(status)
    expect(asked).toEqual([])
  })
})
