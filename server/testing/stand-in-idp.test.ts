import { createHash, randomBytes } from 'node:crypto'
import { createServer, request as requestHttp } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { JSONWebKeySet } from 'jose'
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createCertificateAuthority } from './certificate-authority.ts'
import { startIdentityProvider } from './stand-in-idp.ts'
import type { IdentityProvider } from './stand-in-idp.ts'

const REDIRECT_URI = 'http://127.0.0.1:8480/auth/callback'
const AFTER_LOGOUT = 'http://127.0.0.1:8480/signed-out'

const people = [
  { name: 'Ada Admin', email: 'ada@example.test', groups: ['incus-admins', 'staff'], sub: 'ada', role: 'admin' },
  { name: 'Nobody', groups: [], sub: 'nobody' },
]

let logoutTokens: string[]
let consoleServer: ReturnType<typeof createServer>
let provider: IdentityProvider

beforeEach(async () => {
  logoutTokens = []
  consoleServer = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      logoutTokens.push(new URLSearchParams(body).get('logout_token') ?? '')
      response.end()
    })
  })
  await new Promise<void>((resolve) => consoleServer.listen(0, '127.0.0.1', resolve))
  const { port } = consoleServer.address() as AddressInfo
  provider = await startIdentityProvider({
    people,
    console: {
      redirectUris: [REDIRECT_URI],
      postLogoutRedirectUris: [AFTER_LOGOUT],
      backchannelLogoutUri: `http://127.0.0.1:${port}/auth/backchannel-logout`,
    },
  })
})

afterEach(async () => {
  await provider.close()
  consoleServer.closeAllConnections()
  await new Promise((resolve) => consoleServer.close(resolve))
})

describe('signing in', () => {
  test('gives an ID token and an access token for Incus with name, email and groups', async () => {
    const tokens = await signIn()
    const idToken = decodeJwt(tokens.id_token)
    expect(idToken).toMatchObject({
      iss: provider.issuer,
      aud: 'malleus',
      sub: 'ada',
      email: 'ada@example.test',
      nonce: 'n',
    })
    expect(idToken['groups']).toEqual(['incus-admins', 'staff'])
    expect(idToken['name']).toBe('Ada Admin')
    expect(idToken['auth_time']).toBeTypeOf('number')
    expect(idToken['sid']).toBeTypeOf('string')
    const accessToken = decodeJwt(tokens.access_token)
    expect(accessToken).toMatchObject({ iss: provider.issuer, aud: 'incus', sub: 'ada', email: 'ada@example.test' })
    expect(accessToken['groups']).toEqual(['incus-admins', 'staff'])
    expect(decodeProtectedHeader(tokens.access_token).typ).toBe('at+jwt')
    expect(tokens.expires_in).toBe(600)
  })

  test.each([
    ['nothing', {}, 'incus'],
    ['an audience', { audience: 'incus' }, 'incus'],
    ['another audience', { audience: 'other' }, 'other'],
    ['a resource', { resource: 'urn:incus' }, 'incus'],
  ])('makes an access token for the right audience when the request says %s', async (_what, extra, audience) => {
    const tokens = await signIn('ada', extra)
    expect(decodeJwt(tokens.access_token).aud).toBe(audience)
  })

  test('answers prompt=consent without a page, and asks again with prompt=login', async () => {
    const browser = provider.browser()
    const first = new URL(await browser.signIn(authorizationUrl().url, 'ada'))
    expect(first.searchParams.get('code')).not.toBeNull()
    const again = new URL(await browser.signIn(authorizationUrl({ prompt: 'consent' }).url, 'never asked'))
    expect(again.searchParams.get('code')).not.toBeNull()
    const asSomebodyElse = authorizationUrl({ prompt: 'login' })
    const code = new URL(await browser.signIn(asSomebodyElse.url, 'nobody')).searchParams.get('code')
    const tokens = parseTokens(await redeem(String(code), asSomebodyElse.verifier))
    expect(decodeJwt(tokens.id_token).sub).toBe('nobody')
    expect(decodeJwt(tokens.access_token)['email']).toBeUndefined()
  })

  test('can be refused by the person', async () => {
    const back = new URL(await provider.browser().refuse(authorizationUrl().url))
    expect(back.searchParams.get('error')).toBe('access_denied')
  })

  test('shows every person with a role, in a page that works without scripts', async () => {
    const start = await ask(authorizationUrl().url)
    const cookies = start.headers['set-cookie']?.map((line) => line.split(';')[0]).join('; ') ?? ''
    const page = await ask(new URL(start.headers.location ?? '', provider.issuer).href, { cookie: cookies })
    expect(page.body).toContain('Ada Admin')
    expect(page.body).toContain('no role')
    expect(page.body).not.toContain('<script')
  })

  test('needs PKCE', async () => {
    const url = new URL(authorizationUrl().url)
    url.searchParams.delete('code_challenge')
    const back = await provider.browser().signIn(url.href, 'ada')
    expect(new URL(back).searchParams.get('error')).toBe('invalid_request')
  })
})

describe('refreshing', () => {
  test('rotates the refresh token and counts', async () => {
    const tokens = await signIn()
    const refreshed = parseTokens(await refresh(tokens.refresh_token))
    expect(refreshed.refresh_token).not.toBe(tokens.refresh_token)
    expect(decodeJwt(refreshed.access_token).aud).toBe('incus')
    expect(provider.refreshes).toBe(1)
  })

  test('ends everything of a grant whose old refresh token is used again', async () => {
    const tokens = await signIn()
    const refreshed = parseTokens(await refresh(tokens.refresh_token))
    expect((await refresh(tokens.refresh_token)).status).toBe(400)
    const after = await refresh(refreshed.refresh_token)
    expect(JSON.parse(after.body)).toMatchObject({ error: 'invalid_grant' })
  })

  test('can lose its answer although it was carried out', async () => {
    const tokens = await signIn()
    provider.loseNextRefreshReply = true
    await expect(refresh(tokens.refresh_token)).rejects.toThrow(/socket hang up|ECONNRESET/)
    expect(provider.refreshes).toBe(1)
    expect((await refresh(tokens.refresh_token)).status).toBe(400)
  })

  test('can be refused once', async () => {
    const tokens = await signIn()
    provider.invalidGrantNext = true
    const refused = await refresh(tokens.refresh_token)
    expect([refused.status, JSON.parse(refused.body).error]).toEqual([400, 'invalid_grant'])
    expect(provider.refreshes).toBe(0)
    expect((await refresh(tokens.refresh_token)).status).toBe(200)
  })

  test('can keep the refresh token and say nothing about it', async () => {
    provider.omitRefreshToken = true
    const tokens = await signIn()
    expect(JSON.parse((await refresh(tokens.refresh_token)).body)).not.toHaveProperty('refresh_token')
    expect((await refresh(tokens.refresh_token)).status).toBe(200)
  })
})

describe('signing out', () => {
  test('ends the session at the provider without asking, and returns to the console', async () => {
    const browser = provider.browser()
    const tokens = await signIn('ada', {}, browser)
    const end = new URL(`${provider.issuer}/session/end`)
    end.search = new URLSearchParams({
      id_token_hint: tokens.id_token,
      post_logout_redirect_uri: AFTER_LOGOUT,
      state: 's',
    }).toString()
    expect(await browser.signOut(end.href)).toBe(`${AFTER_LOGOUT}?state=s`)
    expect(provider.backchannelLogoutsSent).toBe(1)
    // Signed out: the next sign-in asks again.
    const next = authorizationUrl()
    const code = new URL(await browser.signIn(next.url, 'nobody')).searchParams.get('code')
    expect(decodeJwt(parseTokens(await redeem(String(code), next.verifier)).id_token).sub).toBe('nobody')
  })

  test('on the back channel reaches a console on a loopback address with a signed token', async () => {
    const tokens = await signIn()
    await provider.endSession('ada')
    expect(provider.backchannelLogoutsSent).toBe(1)
    const keys = createLocalJWKSet(JSON.parse((await ask(`${provider.issuer}/jwks`)).body) as JSONWebKeySet)
    const { payload, protectedHeader } = await jwtVerify(logoutTokens[0] ?? '', keys, {
      issuer: provider.issuer,
      audience: 'malleus',
    })
    expect(protectedHeader.typ).toBe('logout+jwt')
    expect(payload).toMatchObject({ sub: 'ada', sid: decodeJwt(tokens.id_token)['sid'] })
    expect(payload['events']).toHaveProperty(['http://schemas.openid.net/event/backchannel-logout'])
    expect((await refresh(tokens.refresh_token)).status).toBe(400)
  })

  test('revokes a refresh token when asked', async () => {
    const tokens = await signIn()
    await post(`${provider.issuer}/token/revocation`, { token: tokens.refresh_token })
    expect(provider.revocations).toBe(1)
    expect((await refresh(tokens.refresh_token)).status).toBe(400)
  })
})

describe('a provider that misbehaves', () => {
  test('issues tokens that are not JWTs', async () => {
    provider.opaqueTokens = true
    expect((await signIn()).access_token.split('.')).toHaveLength(1)
  })

  test('hides PKCE, or names another issuer, in its metadata', async () => {
    expect(await discovery()).toMatchObject({ issuer: provider.issuer, code_challenge_methods_supported: ['S256'] })
    provider.withoutPkce = true
    provider.otherIssuer = 'https://other.example'
    expect(await discovery()).not.toHaveProperty('code_challenge_methods_supported')
    expect(await discovery()).toMatchObject({ issuer: 'https://other.example' })
  })

  test('sends groups as one string in the access token', async () => {
    provider.joinedGroups = true
    expect(decodeJwt((await signIn()).access_token)['groups']).toBe('incus-admins,staff')
  })

  test('goes down and comes back on the same port with its sessions', async () => {
    const tokens = await signIn()
    const { issuer } = provider
    await provider.down()
    await expect(discovery()).rejects.toThrow(/ECONNREFUSED/)
    await provider.up()
    expect(provider.issuer).toBe(issuer)
    expect((await refresh(tokens.refresh_token)).status).toBe(200)
  })

  test('hangs', async () => {
    await provider.down('hang')
    await expect(ask(`${provider.issuer}/.well-known/openid-configuration`, {}, 150)).rejects.toThrow(/patience/)
    await provider.up()
    expect((await discovery())['issuer']).toBe(provider.issuer)
  })
})

test('tokens can be minted directly, also expired ones', async () => {
  const keys = createLocalJWKSet(JSON.parse((await ask(`${provider.issuer}/jwks`)).body) as JSONWebKeySet)
  const token = await provider.issueToken({ person: 'ada' })
  const { payload } = await jwtVerify(token, keys, { issuer: provider.issuer, audience: 'incus' })
  expect(payload).toMatchObject({ sub: 'ada', email: 'ada@example.test', groups: ['incus-admins', 'staff'] })
  const expired = await provider.issueToken({ person: 'ada', expiresIn: -5 })
  await expect(jwtVerify(expired, keys)).rejects.toThrow(/exp/)
})

test('the command line gets its token by device code', async () => {
  const started = JSON.parse(
    (await post(`${provider.issuer}/device/auth`, { client_id: 'incus', scope: 'openid email offline_access' }, false))
      .body,
  ) as { device_code: string; verification_uri_complete: string }
  const poll = async (): Promise<{ error?: string; access_token?: string }> => {
    const grant_type = 'urn:ietf:params:oauth:grant-type:device_code'
    const answer = await post(
      `${provider.issuer}/token`,
      { client_id: 'incus', grant_type, device_code: started.device_code },
      false,
    )
    return JSON.parse(answer.body) as { error?: string; access_token?: string }
  }
  expect((await poll()).error).toBe('authorization_pending')
  expect(await provider.browser().approveDevice(started.verification_uri_complete, 'ada')).toContain('Connected')
  expect(decodeJwt((await poll()).access_token ?? '')).toMatchObject({
    sub: 'ada',
    aud: 'incus',
    email: 'ada@example.test',
  })
})

test('speaks TLS under another name, and reaches a console whose certificate it was told to trust', async () => {
  const authority = createCertificateAuthority()
  const { certificate, key } = authority.issue({ commonName: 'idp', names: ['localhost'] })
  const secure = await startIdentityProvider({
    people,
    publicHost: 'localhost',
    tls: { certificate, key },
    ca: authority.certificate,
    console: { redirectUris: [REDIRECT_URI] },
  })
  try {
    expect(secure.issuer).toBe(`https://localhost:${secure.port}`)
    const url = authorizationUrl().url.replace(provider.issuer, secure.issuer)
    expect(await secure.browser().signIn(url, 'ada')).toContain(`iss=${encodeURIComponent(secure.issuer)}`)
  } finally {
    await secure.close()
  }
})

interface Tokens {
  access_token: string
  id_token: string
  refresh_token: string
  expires_in: number
}

async function signIn(
  person = 'ada',
  extra: Record<string, string> = {},
  browser = provider.browser(),
): Promise<Tokens> {
  const { url, verifier } = authorizationUrl(extra)
  const back = new URL(await browser.signIn(url, person))
  expect(back.searchParams.get('iss')).toBe(provider.issuer)
  return parseTokens(await redeem(back.searchParams.get('code') ?? '', verifier))
}

function authorizationUrl(extra: Record<string, string> = {}): { url: string; verifier: string } {
  const verifier = randomBytes(32).toString('base64url')
  const url = new URL(`${provider.issuer}/auth`)
  url.search = new URLSearchParams({
    client_id: 'malleus',
    response_type: 'code',
    redirect_uri: REDIRECT_URI,
    scope: 'openid profile email groups offline_access',
    state: 's',
    nonce: 'n',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...extra,
  }).toString()
  return { url: url.href, verifier }
}

function redeem(code: string, verifier: string): Promise<Answer> {
  return post(`${provider.issuer}/token`, {
    grant_type: 'authorization_code',
    code,
    code_verifier: verifier,
    redirect_uri: REDIRECT_URI,
  })
}

function refresh(refreshToken: string): Promise<Answer> {
  return post(`${provider.issuer}/token`, { grant_type: 'refresh_token', refresh_token: refreshToken })
}

function parseTokens(answer: Answer): Tokens {
  expect(answer).toMatchObject({ status: 200 })
  return JSON.parse(answer.body) as Tokens
}

async function discovery(): Promise<Record<string, unknown>> {
  return JSON.parse((await ask(`${provider.issuer}/.well-known/openid-configuration`)).body) as Record<string, unknown>
}

interface Answer {
  status: number
  headers: { location?: string | undefined; 'set-cookie'?: string[] | undefined }
  body: string
}

function post(url: string, form: Record<string, string>, confidential = true): Promise<Answer> {
  const credentials = Buffer.from('malleus:malleus-secret').toString('base64')
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    ...(confidential ? { authorization: `Basic ${credentials}` } : {}),
  }
  return send(url, 'POST', headers, new URLSearchParams(form).toString())
}

function ask(url: string, headers: Record<string, string> = {}, patienceMs = 5_000): Promise<Answer> {
  return send(url, 'GET', headers, undefined, patienceMs)
}

function send(
  url: string,
  method: string,
  headers: Record<string, string>,
  body?: string,
  patienceMs = 5_000,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = requestHttp(url, { method, headers, agent: false }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }))
    })
    outgoing.setTimeout(patienceMs, () => outgoing.destroy(new Error('out of patience')))
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}
