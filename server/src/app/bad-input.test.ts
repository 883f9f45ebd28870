import { readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import path from 'node:path'
import { listMembers } from '@malleus/shared/api/members.ts'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { eventually } from '../../testing/eventually.ts'
import { clusterSeenBy, startTestApp } from '../../testing/test-app.ts'
import type { TestApp } from '../../testing/test-app.ts'
import { problemOf } from '../../testing/test-browser.ts'
import type { TestBrowser } from '../../testing/test-browser.ts'
import { clusterName, people } from '../../testing/test-world.ts'
import { changeState } from '../../testing/tour.ts'

// A whole console, on a machine that may have much to do.
vi.setConfig({ testTimeout: 45_000 })

describe('a cluster of which no member answers when the console starts', () => {
  let app: TestApp
  afterEach(() => app.close())

  test('is said to be out of reach, and is there by itself once a member answers', async () => {
    app = await startTestApp({
      impatient: true,
      before: async ({ cluster }) => {
        for (const member of cluster.members) await cluster.break(member, 'refusing')
      },
    })
    const admin = await app.signIn('admin')
    const out = await eventually(
      () => clusterSeenBy(admin),
      ({ worst, members }) => worst === 'ejected' && members.answering === 0,
    )
    expect(out).toMatchObject({ reachable: false, clustered: null, members: { total: 3, answering: 0 }, version: null })
    const before = await membersSeenBy(admin)
    expect(before.map(({ health }) => health.symptom)).toEqual(['refusing', 'refusing', 'refusing'])
    for (const { reported } of before) {
      expect(reported.value).toBeNull()
      expect(reported.freshness).toMatchObject({ kind: 'unavailable', reason: expect.stringMatching(/\w+ \w+/) })
    }
    const refused = await admin.post(statePath('server1'), { action: 'evacuate', mode: '' })
    expect(refused.status).toBeGreaterThanOrEqual(400)
    expect(refused.status, refused.text).not.toBe(500)

    const live = await admin.live()
    await app.cluster.mend('server2')
    await app.cluster.mend('server1')
    const back = await eventually(
      () => clusterSeenBy(admin),
      ({ members, clustered }) => members.answering >= 2 && clustered === true,
    )
    expect(back.reachable).toBe(true)
    await live.next('member-health-changed', ({ health }) => health.standing === 'healthy')
    expect((await membersSeenBy(admin)).map(({ name }) => name)).toEqual(['server1', 'server2', 'server3'])
    expect((await changeState(admin, clusterName, 'server1', 'evacuate')).status).toBe(202)
  })
})

describe('a member with a wrong certificate', () => {
  test('is named, and never sent a byte of a request', async () => {
    const app = await startTestApp()
    try {
      const admin = await app.signIn('admin')
      await app.cluster.break('server3', 'wrong-certificate')
      const asked = app.cluster.requests.filter(({ member }) => member === 'server3').length
      const row = await eventually(
        async () => (await membersSeenBy(admin)).find(({ name }) => name === 'server3'),
        (member) => member?.health.standing === 'untrusted' && member.presented?.verdict === 'unknown',
      )
      expect(row?.health.symptom).toBe('wrong-certificate')
      for (let times = 0; times < 10; times += 1) await admin.get(`/api/clusters/${clusterName}/operations`)
      const evacuation = await changeState(admin, clusterName, 'server1', 'evacuate')
      expect(evacuation.status).toBe(202)
      expect(app.cluster.requests.filter(({ member }) => member === 'server3')).toHaveLength(asked)
      expect((await clusterSeenBy(admin)).findings.map(({ text }) => text).join(' ')).toContain('server3')
    } finally {
      await app.close()
    }
  })
})

describe('the provider', () => {
  let app: TestApp
  afterEach(() => app.close())

  test('that is out of reach at the start is asked again until it answers', async () => {
    app = await startTestApp({ impatient: true, before: ({ provider }) => provider.down() })
    expect(await app.browser().signIn(people.admin.sub)).toBe('/sign-in?problem=provider_unavailable&returnTo=%2F')
    await app.provider.up()
    await eventually(
      () => app.browser().signIn(people.admin.sub),
      (landed) => landed === '/',
    )
  })

  test('that is out of reach later keeps nobody out who is in', async () => {
    app = await startTestApp()
    const admin = await app.signIn('admin')
    // Members ask the provider for its keys when the first token comes.
    expect((await admin.get(`/api/clusters/${clusterName}/members`)).status).toBe(200)
    const late = app.browser()
    const { path: wayBack } = await late.visitProvider(people.viewer.sub)
    await app.provider.down()
    expect((await late.navigate(wayBack)).headers.location).toContain('problem=provider_unavailable')
    expect((await admin.get(`/api/clusters/${clusterName}/members`)).status).toBe(200)
    expect((await changeState(admin, clusterName, 'server2', 'evacuate')).status).toBe(202)
    expect((await admin.signOut()).status).toBe(200)
    expect((await admin.get('/api/session')).status).toBe(401)
  })

  const unusable = {
    'without PKCE': [(provider: TestApp['provider']) => (provider.withoutPkce = true), /PKCE/],
    'with another issuer': [
      (provider: TestApp['provider']) => (provider.otherIssuer = 'https://idp.elsewhere.example'),
      /issuer/i,
    ],
  } as const
  test.each(Object.entries(unusable))('%s is not used, and the log says why', async (_, [spoil, words]) => {
    app = await startTestApp({ impatient: true, before: ({ provider }) => void spoil(provider) })
    expect(await app.browser().signIn(people.admin.sub)).toBe('/sign-in?problem=provider_unusable&returnTo=%2F')
    expect(app.logs.filter((line) => line.includes('Signing in did not succeed')).join('')).toMatch(words)
  })

  test('that gives opaque access tokens is of no use where members check them', async () => {
    app = await startTestApp({ impatient: true, before: ({ provider }) => void (provider.opaqueTokens = true) })
    expect(await app.browser().signIn(people.admin.sub)).toBe('/sign-in?problem=token_unusable&returnTo=%2F')
    expect(app.logs.join('')).toMatch(/opaque access tokens, which the members of a cluster cannot check/)
    app.provider.opaqueTokens = false
    expect(await app.browser().signIn(people.admin.sub)).toBe('/')
  })

  test('may give opaque access tokens where the console asks with its own certificate', async () => {
    app = await startTestApp({
      impatient: true,
      mode: 'certificate',
      before: ({ provider }) => void (provider.opaqueTokens = true),
    })
    expect(await app.browser().signIn(people.admin.sub)).toBe('/')
  })
})

describe('what a browser sends', () => {
  let app: TestApp
  let admin: TestBrowser
  beforeAll(async () => {
    app = await startTestApp({ impatient: true })
    admin = await app.signIn('admin')
  })
  afterAll(() => app.close())

  test.each([
    ['nothing that was ever ours', '__Host-Http-sid=hello', 401, 'session_expired'],
    ['one of the right form', `__Host-Http-sid=${'A'.repeat(22)}.${'A'.repeat(43)}`, 401, 'session_expired'],
    ['two of them', '__Host-Http-sid=a; __Host-Http-sid=b', 401, 'session_expired'],
    ['an empty one', '__Host-Http-sid=', 401, 'session_expired'],
    ['another name', 'sid=hello', 401, 'not_signed_in'],
    ['nonsense', ';;=;=;;%%%', 401, 'not_signed_in'],
  ])('a cookie that is %s opens no session', async (_, cookie, status, code) => {
    const reply = await app.browser().get('/api/session', { cookie })
    expect([reply.status, problemOf(reply).code]).toEqual([status, code])
  })

  test('one bit of a cookie changed opens no session and ends none', async () => {
    const [[name, value] = ['', '']] = admin.cookies
    const flipped = value.replace(/.$/, (last) => (last === 'A' ? 'E' : 'A'))
    expect((await app.browser().get('/api/session', { cookie: `${name}=${flipped}` })).status).toBe(401)
    expect((await admin.get('/api/session')).status).toBe(200)
  })

  test('a login cookie of nobody does not break signing in', async () => {
    const browser = app.browser()
    browser.cookies.set('__Host-Http-login', 'garbage')
    expect((await browser.navigate('/auth/callback?state=x&code=y')).headers.location).toBe(
      '/sign-in?problem=sign_in_expired&returnTo=%2F',
    )
    expect(await browser.signIn(people.admin.sub)).toBe('/')
  })

  test.each([
    ['no JSON', '{', 400, 'bad_body'],
    ['something else', '{"action":"destroy"}', 400, 'bad_body'],
    ['too much', '{"action":"evacuate","mode":"","force":true}', 400, 'bad_body'],
    ['a mode there is not', '{"action":"evacuate","mode":"sideways"}', 400, 'bad_body'],
    ['a key twice', '{"action":"evacuate","action":"restore"}', 400, 'bad_body'],
    ['a prototype', '{"action":"evacuate","__proto__":{"mode":""}}', 400, 'bad_body'],
    ['bytes that are no text', '{"action":"\u{d800}"}', 400, 'bad_body'],
    ['nothing', '', 400, 'bad_body'],
    ['more than a MiB', `"${'a'.repeat(1_100_000)}"`, 413, 'body_too_large'],
    ['very deep JSON', `${'['.repeat(100)}${']'.repeat(100)}`, 400, 'bad_body'],
  ])('a body that is %s is refused in words', async (_, body, status, code) => {
    const reply = await admin.raw('POST', statePath('server1'), body)
    expect([reply.status, problemOf(reply).code], reply.text).toEqual([status, code])
    expect(problemOf(reply).title).toMatch(/\.$/)
    expect(app.cluster.executions).toEqual([])
  })

  test.each([
    ['/api/clusters/../../etc/passwd', 400, 'bad_path'],
    ['/api/clusters/%2e%2e/members', 400, 'bad_path'],
    ['/api/clusters/a%2fb/members', 400, 'bad_path'],
    ['/api/clusters/%00/members', 400, 'bad_path'],
    ['/api/clusters/%zz/members', 400, 'bad_path'],
    ['/api/clusters/prod-eu/members/%ff', 400, 'bad_path'],
    ['/api/clusters/nowhere/members', 404, 'not_found'],
    ['/api/clusters/prod-eu/members/nobody', 404, 'not_found'],
    ['/api/nothing', 404, 'not_found'],
    ['/api/clusters/prod-eu/members?recursion=2', 400, 'bad_query'],
    ['/api/audit?limit=many', 400, 'bad_query'],
    [`/api/${'a'.repeat(9_000)}`, 414, 'uri_too_long'],
  ])('the address %s is refused in words', async (address, status, code) => {
    const reply = await admin.get(address)
    expect([reply.status, problemOf(reply).code], reply.text).toEqual([status, code])
  })

  test('a connection that speaks no HTTP is closed, and the console goes on', async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(app.port, '127.0.0.1', () => socket.write('\u0016\u0003\u0001 not http at all\r\n\r\n'))
      let text = ''
      socket.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')))
      socket.on('error', reject)
      socket.on('close', () => resolve(text))
    })
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect((await admin.get('/api/session')).status).toBe(200)
  })

  test('nothing of all that was unexpected', () => {
    expect(app.logs.filter((line) => line.includes('failed unexpectedly'))).toEqual([])
  })
})

describe('the file of keys', () => {
  test('that is damaged stops the start in a sentence', async () => {
    const starting = startTestApp({
      impatient: true,
      before: ({ folder }) => writeFile(path.join(folder, 'keys'), 'garbage', { mode: 0o600 }),
    })
    await expect(starting).rejects.toThrow(/keys/)
  })

  test('is made at the first start, for its owner alone', async () => {
    const app = await startTestApp({ impatient: true })
    const text = await readFile(path.join(app.folder, 'keys'), 'utf8')
    await app.close()
    expect(text.length).toBeGreaterThan(100)
  })
})

async function membersSeenBy(browser: TestBrowser) {
  const reply = await browser.get(`/api/clusters/${clusterName}/members`)
  return listMembers.reply.parse(reply.json).members
}

function statePath(member: string): string {
  return `/api/clusters/${clusterName}/members/${member}/state`
}
