import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeJwt, exportJWK, generateKeyPair, exportPKCS8, SignJWT } from 'jose'
import { sql } from 'kysely'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { startIdentityProvider } from '../../testing/stand-in-idp.ts'
import type { IdentityProvider as StandInProvider } from '../../testing/stand-in-idp.ts'
import { openDatabase } from '../database/database.ts'
import type { Database } from '../database/database.ts'
import { systemClock } from '../lib/clock.ts'
import { silentLogger } from '../lib/logger.ts'
import type { Logger } from '../lib/logger.ts'
import { outboundFetch } from '../lib/outbound.ts'
import { systemRandom as random } from '../lib/random.ts'
import { AuthPages } from './auth-pages.ts'
import { IdentityProvider } from './oidc.ts'
import type { ProviderSettings } from './oidc.ts'
import { recordEnds } from './session-history.ts'
import type { SessionEntry } from './session-history.ts'
import { SqliteSessionStore } from './session-store.sqlite.ts'
import { Sessions } from './sessions.ts'
import type { Session } from './sessions.ts'

const publicUrl = 'https://console.example.test'
const people = [
  { name: 'Ada Admin', email: 'ada@example.test', groups: ['incus-admins'], sub: 'ada' },
  { name: 'Nobody', groups: [], sub: 'nobody' },
]

let standIn: StandInProvider
let backchannel: Server
let database: Database
let consoles: Console[]
let logoutTokens: string[]
let clientKeys: Awaited<ReturnType<typeof generateKeyPair>>

beforeEach(async () => {
  consoles = []
  logoutTokens = []
  database = await openDatabase(':memory:', 'malleus')
  clientKeys = await generateKeyPair('ES256', { extractable: true })
  backchannel = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const logoutToken = new URLSearchParams(body).get('logout_token') ?? ''
      logoutTokens.push(logoutToken)
      void consoles[0]?.pages.backchannelLogout({ ...requestOf(''), logoutToken }).then(
        ({ status }) => response.writeHead(status).end(),
        () => response.writeHead(503).end(),
      )
    })
  })
  await new Promise<void>((resolve) => backchannel.listen(0, '127.0.0.1', resolve))
  const { port } = backchannel.address() as AddressInfo
  standIn = await startIdentityProvider({
    people,
    console: {
      redirectUris: [`${publicUrl}/auth/callback`],
      postLogoutRedirectUris: [`${publicUrl}/sign-in`],
      backchannelLogoutUri: `http://127.0.0.1:${port}/auth/backchannel-logout`,
    },
    otherClients: [
      {
        client_id: 'keyed',
        token_endpoint_auth_method: 'private_key_jwt',
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        redirect_uris: [`${publicUrl}/auth/callback`],
        jwks: { keys: [{ ...(await exportJWK(clientKeys.publicKey)), alg: 'ES256', kid: 'k1' }] },
      },
    ],
  })
})

afterEach(async () => {
  for (const one of consoles) await one.close()
  await standIn.close()
  backchannel.closeAllConnections()
  await new Promise((resolve) => backchannel.close(resolve))
  await database.close()
})

/** A console without its HTTP. */
interface Console {
  readonly pages: AuthPages
  readonly provider: IdentityProvider
  readonly sessions: Sessions
  readonly records: readonly { readonly phase: string; readonly entry: SessionEntry }[]
  /** What was recorded, a line each. */
  told(): readonly string[]
  close(): Promise<void>
}

interface Wishes extends Partial<ProviderSettings> {
  readonly deadlineMs?: number
  readonly intent?: () => Promise<void>
  readonly logger?: Logger
  /** Changes what the provider answered. */
  readonly tamper?: (sent: string, answer: Answer) => Promise<Answer>
}

type Answer = Readonly<Record<string, unknown>>

function openConsole({ deadlineMs = 5000, intent, logger = silentLogger, tamper, ...settings }: Wishes = {}): Console {
  const outbound = outboundFetch({ deadlineMs, connectMs: 1000 })
  const fetch: typeof outbound.fetch = async (url, options) => {
    const reply = await outbound.fetch(url, options)
    if (tamper === undefined || !reply.ok) return reply
    const answer = z.record(z.string(), z.unknown()).parse(await reply.json())
    const sent = options?.body instanceof URLSearchParams ? options.body.toString() : ''
    return Response.json(await tamper(sent, answer))
  }
  const provider = new IdentityProvider({
    settings: {
      issuer: standIn.issuer,
      clientId: 'malleus',
      authentication: { kind: 'secret', secret: 'malleus-secret' },
      scopes: ['openid', 'profile', 'email', 'groups', 'offline_access'],
      audience: 'incus',
      resource: null,
      groupsClaim: 'groups',
      publicUrl,
      bearer: true,
      ...settings,
    },
    fetch,
    clock: systemClock,
    random,
    logger,
  })
  const keys = { server: random.bytes(32), hmac: random.bytes(32) }
  const store = new SqliteSessionStore(database)
  const rolesOf = ({ groups }: { readonly groups: readonly string[] }) =>
    groups.includes('incus-admins') ? (['admin'] as const) : []
  const base = { keys, rolesOf, clock: systemClock, random, logger }
  const sessions = new Sessions({ ...base, store, provider })
  const records: { phase: string; entry: SessionEntry }[] = []
  const history = {
    intent: async (entry: SessionEntry) => {
      await intent?.()
      records.push({ phase: 'intent', entry })
    },
    outcome: (entry: SessionEntry) => void records.push({ phase: 'outcome', entry }),
    record: (entry: SessionEntry) => void records.push({ phase: 'record', entry }),
  }
  recordEnds(sessions, history, logger)
  const pages = new AuthPages({ ...base, store, provider, sessions, history, publicUrl })
  const one = {
    pages,
    provider,
    sessions,
    told: () => records.map(({ phase, entry }) => `${phase} ${entry.action} ${entry.decision.rule}`),
    records,
    close: async () => {
      provider.stop()
      await outbound.close()
    },
  }
  consoles.push(one)
  return one
}

const requestOf = (query: string, cookieHeader?: string) => ({
  requestId: 'r1',
  query,
  cookieHeader,
  clientAddress: '203.0.113.7',
  via: null,
})

const cookieOf = (cookies: readonly string[] | undefined, name: string) =>
  cookies?.map((cookie) => cookie.split(';')[0] ?? '').find((cookie) => cookie.startsWith(`${name}=`)) ?? ''

/** Begins at `/auth/login`, chooses a person at the provider, and gives the way back, before it is taken. */
async function goToProvider({ pages }: Console, person: string | null = 'ada', returnTo = '/clusters/prod-eu/members') {
  const begun = await pages.login(requestOf(new URLSearchParams({ returnTo }).toString()))
  const location = begun.location ?? ''
  const browser = standIn.browser()
  const back = person === null ? await browser.refuse(location) : await browser.signIn(location, person)
  return { begun, back: new URL(back), cookie: cookieOf(begun.cookies, '__Host-Http-login') }
}

async function signIn(bff: Console, person = 'ada') {
  const { back, cookie } = await goToProvider(bff, person)
  const reply = await bff.pages.callback(requestOf(back.search.slice(1), cookie))
  const header = cookieOf(reply.cookies, '__Host-Http-sid')
  return { reply, header }
}

async function sessionOf({ sessions }: Console, header: string): Promise<Session> {
  const found = await sessions.find(header)
  if (found.kind !== 'found') throw new Error(`no session: ${JSON.stringify(found)}`)
  return found.session
}

const problemIn = (location: string | undefined) => new URL(location ?? '', publicUrl).searchParams.get('problem')

describe('signing in', () => {
  test('ends at the link where it began, with a session, and is recorded before there is one', async () => {
    const bff = openConsole()
    const { reply, header } = await signIn(bff)
    expect(reply).toMatchObject({ status: 302, location: '/clusters/prod-eu/members' })
    expect(reply.cookies).toEqual([
      expect.stringMatching(/^__Host-Http-sid=[\w-]{22}\.[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict$/),
      expect.stringMatching(/^__Host-Http-login=; .*Max-Age=0/),
    ])
    const session = await sessionOf(bff, header)
    expect(session.principal).toMatchObject({
      iss: standIn.issuer,
      sub: 'ada',
      name: 'Ada Admin',
      email: 'ada@example.test',
      roles: ['admin'],
      authTime: expect.any(Number) as number,
    })
    expect(bff.told()).toEqual(['intent session.sign-in signed-in', 'outcome session.sign-in signed-in'])
    expect(bff.records[1]?.entry).toMatchObject({
      actor: { sub: 'ada', session: session.principal.sessionTag },
      src: { ip: '203.0.113.7' },
      req: { id: 'r1', route: '/auth/callback' },
    })
  })

  test('asks with PKCE, state, nonce and audience, and sends people back to the public URL only', async () => {
    const { begun } = await goToProvider(openConsole())
    const asked = new URL(begun.location ?? '').searchParams
    expect(Object.fromEntries(asked)).toMatchObject({
      response_type: 'code',
      client_id: 'malleus',
      redirect_uri: `${publicUrl}/auth/callback`,
      scope: 'openid profile email groups offline_access',
      code_challenge_method: 'S256',
      audience: 'incus',
      state: expect.stringMatching(/^.{40,}$/) as string,
      nonce: expect.stringMatching(/^.{40,}$/) as string,
      code_challenge: expect.stringMatching(/^.{43}$/) as string,
    })
    expect(begun.cookies?.[0]).toMatch(
      /^__Host-Http-login=[\w-]+; Path=\/; Max-Age=600; Secure; HttpOnly; SameSite=Lax$/,
    )
  })

  test('gives an access token for the members', async () => {
    const bff = openConsole()
    const session = await sessionOf(bff, (await signIn(bff)).header)
    const token = await bff.sessions.accessToken(session, null)
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as object
    expect(claims).toMatchObject({ aud: 'incus', sub: 'ada', iss: standIn.issuer })
  })

  test('works with a key of the bff instead of a secret', async () => {
    const key = await exportPKCS8(clientKeys.privateKey)
    const bff = openConsole({ clientId: 'keyed', authentication: { kind: 'private-key', key, keyId: 'k1' } })
    expect((await signIn(bff)).reply.location).toBe('/clusters/prod-eu/members')
  })

  test('takes groups from the access token where the ID token has none, also as one string', async () => {
    standIn.joinedGroups = true
    const bff = openConsole({ scopes: ['openid', 'profile', 'offline_access'] })
    const session = await sessionOf(bff, (await signIn(bff)).header)
    expect(session.principal.groups).toEqual(['incus-admins'])
  })

  test('works in several tabs at once', async () => {
    const bff = openConsole()
    const first = await bff.pages.login(requestOf('returnTo=/first'))
    const afterFirst = cookieOf(first.cookies, '__Host-Http-login')
    const second = await bff.pages.login(requestOf('returnTo=/second', afterFirst))
    let cookie = cookieOf(second.cookies, '__Host-Http-login')
    const browser = standIn.browser()
    for (const [begun, path] of [
      [first, '/first'],
      [second, '/second'],
    ] as const) {
      const back = new URL(await browser.signIn(begun.location ?? '', 'ada'))
      const reply = await bff.pages.callback(requestOf(back.search.slice(1), cookie))
      expect(reply.location).toBe(path)
      cookie = cookieOf(reply.cookies, '__Host-Http-login')
    }
    expect(cookie).toBe('__Host-Http-login=')
  })

  test('again in the same browser ends the session before', async () => {
    const bff = openConsole()
    const { header } = await signIn(bff)
    const begun = await bff.pages.login(requestOf('returnTo=/', header))
    const back = new URL(await standIn.browser().signIn(begun.location ?? '', 'ada'))
    await bff.pages.callback(requestOf(back.search.slice(1), cookieOf(begun.cookies, '__Host-Http-login')))
    expect(await bff.sessions.find(header)).toEqual({ kind: 'ended', why: 'renewed' })
    expect(bff.told()).toContain('record session.end renewed')
  })
})

describe('signing in does not succeed, and says why,', () => {
  test('a second time with the same reply', async () => {
    const bff = openConsole()
    const { back, cookie } = await goToProvider(bff)
    const request = requestOf(back.search.slice(1), cookie)
    expect((await bff.pages.callback(request)).location).toBe('/clusters/prod-eu/members')
    const again = await bff.pages.callback(request)
    expect(problemIn(again.location)).toBe('sign_in_expired')
    expect(cookieOf(again.cookies, '__Host-Http-sid')).toBe('')
  })

  test.each<[string, (back: URL, cookie: string) => [string, string | undefined], string]>([
    ['in another browser', (back) => [back.search.slice(1), undefined], 'sign_in_expired'],
    ['with a cookie that was changed', (back, cookie) => [back.search.slice(1), `${cookie}x`], 'sign_in_expired'],
    [
      'with another state',
      (back, cookie) => {
        back.searchParams.set('state', 'x')
        return [back.search.slice(1), cookie]
      },
      'sign_in_expired',
    ],
    [
      'with the reply of another issuer',
      (back, cookie) => {
        back.searchParams.set('iss', 'https://evil.example.net')
        return [back.search.slice(1), cookie]
      },
      'sign_in_failed',
    ],
    [
      'without an issuer where the provider names itself',
      (back, cookie) => {
        back.searchParams.delete('iss')
        return [back.search.slice(1), cookie]
      },
      'sign_in_failed',
    ],
    [
      'with another code',
      (back, cookie) => {
        back.searchParams.set('code', 'made-up')
        return [back.search.slice(1), cookie]
      },
      'sign_in_failed',
    ],
    ['with nothing', () => ['', undefined], 'sign_in_expired'],
    ['with nonsense', (_, cookie) => ['state=%ff&code[]=1&&=', cookie], 'sign_in_expired'],
  ])('%s', async (_, change, problem) => {
    const bff = openConsole()
    const { back, cookie } = await goToProvider(bff)
    const reply = await bff.pages.callback(requestOf(...change(back, cookie)))
    expect([reply.status, problemIn(reply.location)]).toEqual([302, problem])
    expect(cookieOf(reply.cookies, '__Host-Http-sid')).toBe('')
    expect(bff.told().filter((line) => line.includes(problem))).toHaveLength(1)
  })

  test('with another nonce, or another verifier', async () => {
    const { provider } = openConsole()
    for (const wrong of [{ nonce: 'x' }, { verifier: 'x'.repeat(43) }]) {
      const { url, secrets } = await provider.signInUrl()
      const back = new URL(await standIn.browser().signIn(url, 'ada'))
      await expect(provider.signIn(back.search, { ...secrets, ...wrong })).rejects.toMatchObject({
        name: 'UnbelievableReply',
      })
    }
  })

  test('when the person does not want to', async () => {
    const bff = openConsole()
    const { back, cookie } = await goToProvider(bff, null)
    const reply = await bff.pages.callback(requestOf(back.search.slice(1), cookie))
    expect(reply.location).toBe('/sign-in?problem=sign_in_refused&returnTo=%2Fclusters%2Fprod-eu%2Fmembers')
    expect(bff.told()).toEqual(['record session.sign-in sign_in_refused'])
  })

  test('when the person has no role; it is recorded who it was, and their token is revoked', async () => {
    const bff = openConsole()
    const { reply, header } = await signIn(bff, 'nobody')
    expect([problemIn(reply.location), header]).toEqual(['no_role', ''])
    expect(bff.records.map(({ entry }) => [entry.actor?.sub, entry.decision])).toEqual([
      ['nobody', { allow: false, rule: 'no_role' }],
    ])
    await vi.waitUntil(() => standIn.revocations === 1)
  })

  test('when access tokens are opaque and members have to check them', async () => {
    standIn.opaqueTokens = true
    expect(problemIn((await signIn(openConsole())).reply.location)).toBe('token_unusable')
    expect((await signIn(openConsole({ bearer: false }))).reply.location).toBe('/clusters/prod-eu/members')
  })

  test('when it cannot be recorded, and then there is no session', async () => {
    const unavailable = Object.assign(new Error('full'), { code: 'audit_unavailable' })
    const bff = openConsole({ intent: () => Promise.reject(unavailable) })
    const { reply, header } = await signIn(bff)
    expect([problemIn(reply.location), header]).toEqual(['audit_unavailable', ''])
    await vi.waitUntil(() => standIn.revocations === 1)
  })

  test('when the session cannot be kept', async () => {
    const bff = openConsole()
    const { back, cookie } = await goToProvider(bff)
    await database.close()
    const reply = await bff.pages.callback(requestOf(back.search.slice(1), cookie))
    expect(problemIn(reply.location)).toBe('storage_unavailable')
  })
})

describe('a provider that cannot be used', () => {
  test('for it does not offer PKCE', async () => {
    standIn.withoutPkce = true
    const { pages, provider } = openConsole()
    expect(problemIn((await pages.login(requestOf(''))).location)).toBe('provider_unusable')
    expect(provider.problem).toContain('does not offer PKCE with S256')
  })

  test('for it calls itself something else', async () => {
    standIn.otherIssuer = 'https://idp.example.net'
    const { pages, provider } = openConsole()
    expect(problemIn((await pages.login(requestOf(''))).location)).toBe('provider_unusable')
    expect(provider.problem).toMatch(/calls itself (https:\/\/idp\.example\.net|something else)/)
  })

  test('for the issuer differs from its own name in a slash', async () => {
    const { pages, provider } = openConsole({ issuer: `${standIn.issuer}/` })
    expect(problemIn((await pages.login(requestOf(''))).location)).toBe('provider_unusable')
    expect(provider.problem).toContain('Write the issuer exactly as it does')
  })

  test('for it is reached in the clear and not on this machine', async () => {
    const { pages, provider } = openConsole({ issuer: 'http://idp.example.net' })
    expect(problemIn((await pages.login(requestOf(''))).location)).toBe('provider_unusable')
    expect(provider.problem).toContain('is not an https address')
  })
})

test('a provider that refuses the console itself is not the fault of who signs in', async () => {
  const bff = openConsole({ authentication: { kind: 'secret', secret: 'not-the-secret' } })
  const { back, cookie } = await goToProvider(bff)
  const reply = await bff.pages.callback(requestOf(back.search.slice(1), cookie))
  expect(problemIn(reply.location)).toBe('provider_unusable')
})

describe('a provider that does not answer', () => {
  test('at the start is asked again behind, and sign-in says so meanwhile', async () => {
    await standIn.down()
    const { pages, provider } = openConsole()
    provider.start()
    const reply = await pages.login(requestOf('returnTo=/clusters'))
    expect(reply.location).toBe('/sign-in?problem=provider_unavailable&returnTo=%2Fclusters')
    expect(provider.problem).toContain('does not answer')
    await standIn.up()
    await vi.waitUntil(() => provider.problem === null, { timeout: 5000 })
    expect((await pages.login(requestOf(''))).location).toContain(standIn.issuer)
  })

  test('although it did a moment ago is not one to send somebody to', async () => {
    const { pages } = openConsole()
    expect((await pages.login(requestOf(''))).location).toContain(standIn.issuer)
    await standIn.down()
    expect(problemIn((await pages.login(requestOf(''))).location)).toBe('provider_unavailable')
    await standIn.up()
    expect((await pages.login(requestOf(''))).location).toContain(standIn.issuer)
  })

  test('but accepts connections is given up on at the deadline', async () => {
    await standIn.down('hang')
    const { pages } = openConsole({ deadlineMs: 200 })
    expect(problemIn((await pages.login(requestOf(''))).location)).toBe('provider_unavailable')
  })

  test('when the person comes back says so, and they can try again', async () => {
    const bff = openConsole()
    const { back, cookie } = await goToProvider(bff)
    await standIn.down()
    const reply = await bff.pages.callback(requestOf(back.search.slice(1), cookie))
    expect(problemIn(reply.location)).toBe('provider_unavailable')
  })
})

describe('T-refresh-race, with a provider that takes a token used twice for stolen', () => {
  async function aged(wishes: Wishes = {}) {
    standIn.accessTokenSeconds = 2
    const bff = openConsole(wishes)
    const { header } = await signIn(bff)
    standIn.accessTokenSeconds = 600
    return { bff, header }
  }

  test('200 requests at the end of a token make one refresh, and nobody is signed out', async () => {
    const { bff, header } = await aged()
    const session = await sessionOf(bff, header)
    const before = await bff.sessions.accessToken(session, null)
    await vi.waitFor(async () => expect(await bff.sessions.accessToken(session, null)).not.toBe(before), {
      timeout: 4000,
    })
    const tokens = await Promise.all(Array.from({ length: 200 }, () => bff.sessions.accessToken(session, null)))
    expect([standIn.refreshes, new Set(tokens).size]).toEqual([1, 1])
    await sessionOf(bff, header)
  })

  test('a lost reply signs out cleanly', async () => {
    const { bff, header } = await aged()
    const session = await sessionOf(bff, header)
    standIn.loseNextRefreshReply = true
    await vi.waitFor(
      () => expect(bff.sessions.accessToken(session, null)).rejects.toMatchObject({ kind: 'refresh-lost' }),
      {
        timeout: 4000,
      },
    )
    expect(await bff.sessions.find(header)).toEqual({ kind: 'ended', why: 'refresh-lost' })
    expect(standIn.grantTypes.filter((grant) => grant === 'refresh_token')).toHaveLength(1)
    expect(bff.told()).toContain('record session.refresh refresh-lost')
  })

  test('a refused refresh signs out', async () => {
    const bff = openConsole()
    const session = await sessionOf(bff, (await signIn(bff)).header)
    standIn.invalidGrantNext = true
    await expect(bff.sessions.accessToken(session, 'other')).rejects.toMatchObject({ kind: 'refresh-refused' })
    expect(bff.told()).toContain('record session.refresh refresh-refused')
  })

  test('a provider that is down ends no session, and renews it when it is back', async () => {
    const bff = openConsole()
    const { header } = await signIn(bff)
    await standIn.down()
    const session = await sessionOf(bff, header)
    await expect(bff.sessions.accessToken(session, 'other')).rejects.toMatchObject({ code: 'provider_unavailable' })
    await standIn.up()
    await expect(bff.provider.refresh(bff.sessions.refreshToken(session) ?? '', null, 'ada')).resolves.toMatchObject({
      refreshToken: expect.any(String) as string,
    })
    await sessionOf(bff, header)
  })

  test('a provider that keeps the refresh token is asked with it again', async () => {
    standIn.omitRefreshToken = true
    const bff = openConsole()
    const session = await sessionOf(bff, (await signIn(bff)).header)
    const held = bff.sessions.refreshToken(session)
    await bff.sessions.accessToken(session, 'one')
    await bff.sessions.accessToken(session, 'two')
    expect([standIn.refreshes, held === null]).toEqual([2, false])
  })

  test('somebody else in the renewed ID token is refused', async () => {
    const bff = openConsole()
    const session = await sessionOf(bff, (await signIn(bff)).header)
    const refresh = bff.provider.refresh(bff.sessions.refreshToken(session) ?? '', null, 'mallory')
    await expect(refresh).rejects.toMatchObject({ name: 'RefreshRefused' })
  })
})

describe('signing out', () => {
  test('ends the session, revokes its token, and goes on to the provider and back', async () => {
    const bff = openConsole()
    const { header } = await signIn(bff)
    const reply = await bff.pages.logout(requestOf('', header))
    expect(reply).toMatchObject({ status: 200, headers: { 'clear-site-data': '"cache"' } })
    expect(reply.cookies?.map((cookie) => cookie.split(';')[0])).toEqual(['__Host-Http-sid=', '__Host-Http-login='])
    const { continueTo } = reply.body as { continueTo: string }
    expect(new URL(continueTo).searchParams.get('post_logout_redirect_uri')).toBe(`${publicUrl}/sign-in`)
    expect(await standIn.browser().signOut(continueTo)).toBe(`${publicUrl}/sign-in`)
    expect(await bff.sessions.find(header)).toEqual({ kind: 'ended', why: 'signed-out' })
    await vi.waitUntil(() => standIn.revocations === 1)
    expect(bff.told().at(-1)).toBe('record session.sign-out own-session')
  })

  test('works without a session, and while the provider is down', async () => {
    const bff = openConsole()
    expect((await bff.pages.logout(requestOf(''))).body).toEqual({ continueTo: '/sign-in' })
    const { header } = await signIn(bff)
    await standIn.down()
    expect((await bff.pages.logout(requestOf('', header))).status).toBe(200)
    expect((await bff.sessions.find(header)).kind).toBe('ended')
  })
})

test('a renewal whose ID token is signed in a way that is not believed ends the session', async () => {
  const other = await generateKeyPair('RS384', { extractable: true })
  const key = { ...(await exportJWK(other.publicKey)), alg: 'RS384', use: 'sig', kid: 'other' }
  const bff = openConsole({
    tamper: async (sent, answer) => {
      const algorithms = answer['id_token_signing_alg_values_supported']
      if (Array.isArray(algorithms)) return { ...answer, id_token_signing_alg_values_supported: ['RS256', 'RS384'] }
      if (Array.isArray(answer['keys'])) return { ...answer, keys: [...answer['keys'], key] }
      const idToken = answer['id_token']
      if (!sent.includes('grant_type=refresh_token') || typeof idToken !== 'string') return answer
      const header = { alg: 'RS384', kid: 'other' }
      return {
        ...answer,
        id_token: await new SignJWT(decodeJwt(idToken)).setProtectedHeader(header).sign(other.privateKey),
      }
    },
  })
  const { header } = await signIn(bff)
  const session = await sessionOf(bff, header)
  await expect(bff.sessions.accessToken(session, 'other')).rejects.toMatchObject({ code: 'session_expired' })
  expect(await bff.sessions.find(header)).toEqual({ kind: 'ended', why: 'refresh-refused' })
})

describe('the provider signs somebody out', () => {
  test('and their session here ends', async () => {
    const bff = openConsole()
    const { header } = await signIn(bff)
    await sessionOf(bff, header)
    await standIn.endSession('ada')
    expect(standIn.backchannelErrors).toEqual([])
    expect(await bff.sessions.find(header)).toEqual({ kind: 'ended', why: 'ended-by-provider' })
    expect(bff.told()).toContain('record session.end ended-by-provider')
  })

  test('only once with the same token', async () => {
    const bff = openConsole()
    await signIn(bff)
    await standIn.endSession('ada')
    const { header } = await signIn(bff)
    const reply = await bff.pages.backchannelLogout({ ...requestOf(''), logoutToken: logoutTokens[0] ?? '' })
    expect(reply).toMatchObject({
      status: 400,
      body: { error: 'invalid_request', error_description: 'it was used before' },
    })
    await sessionOf(bff, header)
  })

  test('again with the same token when the sessions could not be ended before', async () => {
    const bff = openConsole()
    const { header } = await signIn(bff)
    const triggers = ['insert', 'delete']
    for (const what of triggers) {
      const on = what === 'insert' ? 'session_end' : 'session'
      await sql
        .raw(`create trigger no_${what} before ${what} on ${on} begin select raise(abort, 'disk full'); end`)
        .execute(database.tables())
    }
    await standIn.endSession('ada').catch(() => undefined)
    const [logoutToken = ''] = logoutTokens
    const told = () => bff.pages.backchannelLogout({ ...requestOf(''), logoutToken })
    await expect(told()).rejects.toThrow('disk full')
    for (const what of triggers) await sql.raw(`drop trigger no_${what}`).execute(database.tables())
    expect((await told()).status).toBe(200)
    expect(await bff.sessions.find(header)).toEqual({ kind: 'ended', why: 'ended-by-provider' })
    expect((await told()).status).toBe(400)
  })

  test('not with a token that is not one, and that is recorded', async () => {
    const bff = openConsole()
    const { header } = await signIn(bff)
    const session = await sessionOf(bff, header)
    for (const logoutToken of ['', 'nonsense', session.idToken]) {
      expect((await bff.pages.backchannelLogout({ ...requestOf(''), logoutToken })).status).toBe(400)
    }
    expect(bff.told().filter((line) => line === 'record session.end logout-token')).toHaveLength(3)
    await sessionOf(bff, header)
  })
})

test('T-canary: no log line and no record has a token, a code, or the secret of a cookie, whatever goes wrong', async () => {
  const lines: string[] = []
  const logger = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) })
  const bff = openConsole({ logger })
  const secrets: string[] = ['malleus-secret']
  const forged = await goToProvider(bff)
  forged.back.searchParams.set('iss', 'https://evil.example.net')
  const again = await goToProvider(bff)
  for (const { back, cookie } of [forged, again, again]) {
    secrets.push(back.searchParams.get('code') ?? '', back.searchParams.get('state') ?? '', cookie.split('=')[1] ?? '')
    await bff.pages.callback(requestOf(back.search.slice(1), cookie))
  }
  for (const fault of ['loseNextRefreshReply', 'invalidGrantNext'] as const) {
    const { header } = await signIn(bff)
    const session = await sessionOf(bff, header)
    secrets.push(header.split('.')[1] ?? '', session.idToken, bff.sessions.refreshToken(session) ?? '')
    secrets.push(await bff.sessions.accessToken(session, null))
    standIn[fault] = true
    await expect(bff.sessions.accessToken(session, 'other')).rejects.toMatchObject({ code: 'session_expired' })
    await bff.pages.backchannelLogout({ ...requestOf(''), logoutToken: session.idToken })
  }
  expect(lines.length).toBeGreaterThan(3)
  expect(secrets.every((secret) => secret.length > 10)).toBe(true)
  const everything = `${lines.join('')}${JSON.stringify(bff.records)}`
  expect(secrets.filter((secret) => everything.includes(secret))).toEqual([])
})
