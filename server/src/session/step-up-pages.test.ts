import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startIdentityProvider } from '../../testing/stand-in-idp.ts'
import type { IdentityProvider as StandInProvider } from '../../testing/stand-in-idp.ts'
import { openDatabase } from '../database/database.ts'
import type { Database } from '../database/database.ts'
import { systemClock as clock } from '../lib/clock.ts'
import { silentLogger as logger } from '../lib/logger.ts'
import { outboundFetch } from '../lib/outbound.ts'
import { systemRandom as random } from '../lib/random.ts'
import { AuthPages } from './auth-pages.ts'
import { IdentityProvider } from './oidc.ts'
import { recordEnds } from './session-history.ts'
import type { SessionEntry } from './session-history.ts'
import { SqliteSessionStore } from './session-store.sqlite.ts'
import { Sessions } from './sessions.ts'

const publicUrl = 'https://console.example.test'
const id = '7c0e2a52-6a35-4f2e-9d0a-2f6f4f9f3d11'
const people = [
  { name: 'Ada Admin', groups: ['incus-admins'], sub: 'ada' },
  { name: 'Bob Admin', groups: ['incus-admins'], sub: 'bob' },
]

let standIn: StandInProvider
let browser: ReturnType<StandInProvider['browser']>
let database: Database
let outbound: ReturnType<typeof outboundFetch>
let sessions: Sessions
let pages: AuthPages
let told: string[]
let revoked: number
/** What the provider says of when it asked, in place of what it said. */
let authTime: ((said: number | null) => number | null) | undefined

beforeEach(async () => {
  told = []
  revoked = 0
  authTime = undefined
  database = await openDatabase(':memory:', 'malleus')
  standIn = await startIdentityProvider({ people, console: { redirectUris: [`${publicUrl}/auth/callback`] } })
  browser = standIn.browser()
  outbound = outboundFetch({ deadlineMs: 5000, connectMs: 1000 })
  const settings = {
    issuer: standIn.issuer,
    clientId: 'malleus',
    authentication: { kind: 'secret', secret: 'malleus-secret' },
    scopes: ['openid', 'profile', 'groups', 'offline_access'],
    audience: 'incus',
    resource: null,
    groupsClaim: 'groups',
    publicUrl,
    bearer: true,
  } as const
  const provider = new IdentityProvider({ settings, fetch: outbound.fetch, clock, random, logger })
  const signIn: typeof provider.signIn = async (...asked) => {
    const who = await provider.signIn(...asked)
    return authTime === undefined ? who : { ...who, authTime: authTime(who.authTime) }
  }
  const store = new SqliteSessionStore(database)
  const keys = { server: random.bytes(32), hmac: random.bytes(32) }
  const base = { store, keys, rolesOf: () => ['admin'] as const, clock, random, logger }
  sessions = new Sessions({ ...base, provider })
  const tell = (phase: string) => (entry: SessionEntry) =>
    void told.push(`${phase} ${entry.action} ${entry.decision.rule} ${entry.actor?.sub ?? 'nobody'}`)
  const history = { intent: async (entry: SessionEntry) => tell('intent')(entry), outcome: tell('outcome') }
  const whole = { ...history, record: tell('record') }
  recordEnds(sessions, whole, logger)
  const asked = {
    signIn,
    signInUrl: (again?: boolean) => provider.signInUrl(again),
    revoke: (token: string) => {
      revoked += 1
      return provider.revoke(token)
    },
    endSessionUrl: (token: string) => provider.endSessionUrl(token),
    readLogoutToken: (token: string) => provider.readLogoutToken(token),
  }
  pages = new AuthPages({ ...base, provider: asked, sessions, history: whole, publicUrl })
})

afterEach(async () => {
  await outbound.close()
  await standIn.close()
  await database.close()
})

const requestOf = (query: string, cookieHeader?: string) => ({
  requestId: 'r1',
  query,
  cookieHeader,
  clientAddress: '203.0.113.7',
  via: null,
})

const cookieOf = (cookies: readonly string[] | undefined, name: string) =>
  cookies?.map((cookie) => cookie.split(';')[0] ?? '').find((cookie) => cookie.startsWith(`${name}=`)) ?? ''

/** Through `/auth/login` and the provider, as one person, with the session that the browser has. */
async function go(query: string, person: string, header?: string) {
  const begun = await pages.login(requestOf(query, header))
  const asked = new URL(begun.location ?? '', publicUrl)
  if (!asked.href.startsWith(standIn.issuer)) return { asked, location: begun.location, header: '' }
  const back = new URL(await browser.signIn(asked.href, person))
  // On the way back from another site the browser leaves the cookie of the session at home.
  const login = cookieOf(begun.cookies, '__Host-Http-login')
  const reply = await pages.callback(requestOf(back.search.slice(1), login))
  return { asked, location: reply.location, header: cookieOf(reply.cookies, '__Host-Http-sid') }
}

describe('proving again who one is', () => {
  test('asks the provider to ask, and ends with a new session in place of the old one', async () => {
    const { header } = await go('returnTo=/', 'ada')
    told.length = 0
    const proved = await go(`stepUp=${id}&returnTo=/elsewhere`, 'ada', header)
    expect(Object.fromEntries(proved.asked.searchParams)).toMatchObject({ prompt: 'login', max_age: '0' })
    expect(proved.location).toBe(`/proved?of=${id}`)
    expect(await sessions.find(header)).toEqual({ kind: 'ended', why: 'renewed' })
    expect(await sessions.find(proved.header)).toMatchObject({ kind: 'found', session: { principal: { sub: 'ada' } } })
    expect(told).toEqual([
      'intent session.step-up proved ada',
      'record session.end renewed nobody',
      'outcome session.step-up proved ada',
    ])
  })

  test('signing in asks for no such thing', async () => {
    const { asked } = await go('returnTo=/', 'ada')
    expect([asked.searchParams.get('prompt'), asked.searchParams.get('max_age')]).toEqual([null, null])
  })

  test('as somebody else is refused, the session stays, and what the other was given is revoked', async () => {
    const { header } = await go('returnTo=/', 'ada')
    told.length = 0
    // That Bob can sign in in a browser where Ada is known shows that the provider asked.
    const proved = await go(`stepUp=${id}`, 'bob', header)
    expect(proved).toMatchObject({ location: `/proved?of=${id}&problem=somebody_else`, header: '' })
    expect(await sessions.find(header)).toMatchObject({ kind: 'found' })
    expect(told).toEqual(['record session.step-up somebody_else bob'])
    expect(revoked).toBe(1)
  })

  test.each([
    ['does not say when it asked', () => null, 'no_auth_time'],
    ['let the person through without asking', (said: number | null) => (said ?? 0) - 60, 'not_asked_again'],
  ])('at a provider that %s proves nothing, and the session goes on', async (_what, says, problem) => {
    const { header } = await go('returnTo=/', 'ada')
    authTime = says
    told.length = 0
    const proved = await go(`stepUp=${id}`, 'ada', header)
    expect(proved).toMatchObject({ location: `/proved?of=${id}&problem=${problem}`, header: '' })
    expect(told).toEqual([`record session.step-up ${problem} ada`])
    expect(await sessions.find(header)).toMatchObject({ kind: 'found' })
    // What the session holds may hang on the same grant as what was just given.
    expect(revoked).toBe(0)
  })

  test('is for those who are signed in', async () => {
    expect((await go(`stepUp=${id}`, 'ada')).location).toBe(`/proved?of=${id}&problem=session_expired`)
    expect(told).toEqual(['record session.step-up session_expired nobody'])
  })

  test('while the provider does not answer says so', async () => {
    const { header } = await go('returnTo=/', 'ada')
    await standIn.down()
    expect((await go(`stepUp=${id}`, 'ada', header)).location).toBe(`/proved?of=${id}&problem=provider_unavailable`)
    expect(await sessions.find(header)).toMatchObject({ kind: 'found' })
  })

  test('under a name that no page makes up is signing in', async () => {
    const { location } = await go(`stepUp=${encodeURIComponent('/evil?x')}&returnTo=/servers`, 'ada')
    expect(location).toBe('/servers')
  })
})
