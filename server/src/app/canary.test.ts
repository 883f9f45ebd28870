import { randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { getAcme } from '@malleus/shared/api/acme.ts'
import { getReplacement, prepareKey } from '@malleus/shared/api/certificate-replacement.ts'
import { createTrustToken } from '@malleus/shared/api/trust.ts'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { createCertificateAuthority } from '../../testing/certificate-authority.ts'
import { eventually } from '../../testing/eventually.ts'
import { signRequest } from '../../testing/sign-request.ts'
import { startTestApp } from '../../testing/test-app.ts'
import type { TestApp } from '../../testing/test-app.ts'
import type { TestBrowser } from '../../testing/test-browser.ts'
import { clientSecret, clusterName, people } from '../../testing/test-world.ts'
import { evacuateAndRestore, lookAround } from '../../testing/tour.ts'

// A whole console, on a machine that may have much to do.
vi.setConfig({ testTimeout: 45_000 })

/** Text that is nowhere else, planted where Incus keeps secrets. */
const planted = {
  operationSecret: 'canary-a1-secret-of-a-websocket',
  descriptor: 'canary-a2-secret-of-a-descriptor',
  trustToken: 'canary-a3-secret-of-a-trust-token',
  instanceConfig: 'canary-a4-password-in-an-instance',
  serverConfig: 'canary-a5-secret-in-the-server-configuration',
  zone: 'canary-a9-token-of-a-dns-provider',
  account: 'canary-b1-hmac-of-an-acme-account',
  eventContext: 'canary-a6-secret-in-the-context-of-an-event',
  logging: 'canary-a7-private-key-in-a-log-event',
  operationToken: 'canary-a8-token-in-a-task',
  loggedUrl: 'canary-c1-secret-in-the-address-of-a-request',
  loggedBody: 'canary-c2-private-key-beside-a-request-in-the-log',
  loggedPath: 'canary-c3-secret-in-a-path-that-nobody-knows',
}

let app: TestApp
let browsers: TestBrowser[]

beforeEach(async () => {
  browsers = []
  app = await startTestApp({
    cluster: {
      version: '7.0.2',
      instances: [
        { name: 'c1', location: 'server1', config: { 'user.password': planted.instanceConfig } },
        { name: 'c2', location: 'server2', config: { 'environment.TOKEN': planted.instanceConfig } },
      ],
    },
  })
})
afterEach(() => app.close())

describe('T-canary', () => {
  test('no secret of a session, of the provider, of a cluster or of the configuration leaves the console', async () => {
    const { cluster, provider } = app
    cluster.state.config['loki.auth.password'] = planted.serverConfig
    const admin = await enter('admin')
    const live = await app.listen(admin)
    const viewer = await enter('viewer')
    const watching = await app.listen(viewer)

    sayEverySecret()
    await live.next('resource-changed', ({ source }) => source === '/1.0/instances/last')
    await watching.next('resource-changed', ({ source }) => source === '/1.0/instances/last')
    // The log was read, and what is harmless in it is kept.
    await eventually(
      async () => (await app.history()).filter(({ src }) => src.ip === '10.9.9.9').length,
      (kept) => kept > 0,
    )
    for (const browser of browsers) await lookAround(browser, clusterName, 'server2')
    await evacuateAndRestore(admin, clusterName, 'server2')
    await orderCertificates(admin)
    const certificateKeys = await replaceCertificates(admin)
    const tokens = await giveOutTokens(admin)
    await lookAround(viewer, clusterName, 'server3')
    await misbehave(admin)

    // A renewal, one that fails, and a provider that is gone.
    provider.accessTokenSeconds = 2
    const brief = await enter('operator')
    await eventually(
      async () => {
        await brief.get(`/api/clusters/${clusterName}/members`)
        return provider.refreshes
      },
      (refreshes) => refreshes > 0,
    )
    provider.invalidGrantNext = true
    const unlucky = await enter('viewer')
    await eventually(
      () => unlucky.get(`/api/clusters/${clusterName}/members/server1`),
      ({ status }) => status === 401,
    )
    const late = app.browser()
    const { path: wayBack } = await late.visitProvider(people.admin.sub)
    await provider.down()
    expect((await late.navigate(wayBack)).headers.location).toContain('/sign-in?problem=provider_unavailable')
    await lookAround(brief, clusterName, 'server1')
    await provider.up()

    const cookies = browsers.flatMap((browser) => [...browser.cookies.values()])
    const code = new URLSearchParams(wayBack.split('?')[1]).get('code') ?? ''
    const secrets = [
      ...(await allSecrets(cookies)),
      ...tokens.map((text) => ({ name: 'a trust token', text })),
      ...certificateKeys.flatMap(bodyOfPem).map((text) => ({ name: 'the key of a certificate', text })),
      { name: 'a code', text: code },
    ]
    expect(secrets.length).toBeGreaterThan(25)
    expect(await hitsIn(secrets)).toEqual([])

    // Whoever signs out takes their ID token to the provider, who wants to know whose session it is.
    expect((await admin.signOut()).status).toBe(200)
    const others = secrets.filter(({ name }) => name !== 'id_token')
    expect(await hitsIn(others)).toEqual([])
  })

  test('and the search finds what is there', async () => {
    const admin = await enter('admin')
    await admin.get('/api/session')
    expect(await hitsIn([{ name: 'a name', text: people.admin.name }])).toEqual([
      'a name in audit.db',
      'a name in the bytes of browser 1',
    ])
  })
})

async function enter(person: 'admin' | 'viewer' | 'operator'): Promise<TestBrowser> {
  const browser = await app.signIn(person)
  browsers.push(browser)
  return browser
}

/** Every place in what Incus says where it puts secrets, as operations, events and configuration. */
function sayEverySecret(): void {
  const { cluster } = app
  const fds = { '0': planted.descriptor, control: planted.descriptor }
  cluster.startOperation({ member: 'server1', metadata: { fds, secret: planted.operationSecret, return: 0 } })
  cluster.startOperation({
    member: 'server2',
    metadata: { token: planted.operationToken, request: { secret: planted.operationToken } },
  })
  cluster.operations.start({
    class: 'token',
    description: 'Executing operation',
    location: cluster.state.member('server1'),
    metadata: { secret: planted.trustToken, fingerprint: cluster.fingerprint, addresses: [] },
  })
  cluster.operations.start({
    class: 'websocket',
    description: 'Executing command',
    location: cluster.state.member('server3'),
    metadata: { fds, command: ['bash'], environment: { PASSWORD: planted.operationSecret }, interactive: true },
  })
  cluster.emitRaw({
    type: 'logging',
    metadata: { message: planted.logging, level: 'debug', context: { body: planted.logging } },
  })
  const context = { ip: '10.9.9.9:4711', method: 'GET', protocol: 'tls', username: 'a'.repeat(64) }
  for (const url of [
    `/1.0/images/0123456789ab/export?secret=${planted.loggedUrl}&${planted.loggedUrl}=1`,
    `/1.0/operations/1/websocket?secret=${planted.loggedUrl}`,
    `/${planted.loggedPath}/x`,
    `/1.0/${planted.loggedPath}`,
  ]) {
    const body = { ...context, url, body: planted.loggedBody, cluster_certificate_key: planted.loggedBody }
    for (const message of ['Handling API request', 'Allowing untrusted GET', planted.loggedBody]) {
      cluster.emitRaw({ type: 'logging', metadata: { message, level: 'debug', context: body } })
    }
  }
  cluster.emit({
    action: 'instance-exec',
    source: '/1.0/instances/c1',
    member: 'server1',
    project: 'default',
    name: 'c1',
    context: { command: `mysql -p ${planted.eventContext}`, environment: planted.eventContext },
  })
  cluster.emit({ action: 'instance-updated', source: '/1.0/instances/last', project: 'default' })
}

/**
 * A token that stands and one that is withdrawn, as text and as the secret in it. Who asked is shown them, in that one
 * reply; everything else that the browser got is searched.
 */
async function giveOutTokens(browser: TestBrowser): Promise<string[]> {
  const path = `/api/clusters/${clusterName}/trust-tokens`
  const secrets: string[] = []
  const pendingOnes: string[] = []
  for (const name of ['laptop', 'desktop']) {
    const wanted = { name, restricted: false, projects: [], withdrawAfterMinutes: null }
    const key = randomUUID()
    const reply = await browser.post(path, wanted, key)
    const { token, pending } = createTrustToken.reply.parse(reply.json)
    const at = browser.received.findIndex((bytes) => bytes.includes(token))
    browser.received.splice(at, 1)
    const { secret } = Secret.parse(JSON.parse(Buffer.from(token, 'base64').toString()))
    secrets.push(token, secret)
    // Asked again with the same key, it is not told again.
    expect((await browser.post(path, wanted, key)).status).toBe(409)
    pendingOnes.push(pending.id)
  }
  expect((await browser.post(`${path}/${pendingOnes.at(-1)}/withdraw`, {})).status).toBe(200)
  return secrets
}

const Secret = z.object({ secret: z.string() })

/** One certificate that is issued and one that is not, with the secrets that it takes. */
async function orderCertificates(browser: TestBrowser): Promise<void> {
  const path = `/api/clusters/${clusterName}/acme`
  const settings = {
    domains: ['incus.example.net'],
    email: 'a@example.net',
    directory: 'https://acme.example.net/dir',
    agreed: true,
    challenge: 'DNS-01',
    httpPort: '',
    provider: 'hetzner',
    environment: `HETZNER_API_KEY=${planted.zone}`,
    resolvers: '',
    account: { keyId: 'kid', hmac: planted.account },
  }
  for (const email of ['a@example.net', 'b@example.net']) {
    expect((await browser.post(`${path}/check`, { settings: { ...settings, email } })).status).toBe(200)
    const { json } = await browser.get(path)
    const { shown } = getAcme.reply.parse(json)
    const reply = await browser.ask({ method: 'PUT', path, body: { settings: { ...settings, email }, shown } })
    expect(reply.status).toBe(202)
    const ended = await eventually(
      async () => getAcme.reply.parse((await browser.get(path)).json).order,
      (order) => order?.endedAt !== null,
    )
    expect(ended?.phase).toBe(email.startsWith('a') ? 'done' : 'failed')
    app.cluster.state.acme.fails = 'Failed to run lego command: hetzner refused this'
  }
}

/** Certificates that are looked at, refused and taken, with keys that were given and one made here; gives those keys. */
async function replaceCertificates(browser: TestBrowser): Promise<string[]> {
  const { cluster } = app
  const base = `/api/clusters/${clusterName}/certificate`
  const authority = createCertificateAuthority()
  const given = authority.issue({ commonName: 'incus.example', names: ['incus.example', '127.0.0.1'] })
  const expired = authority.issue({ commonName: 'incus.example', notAfter: new Date(Date.now() - 1_000) })
  for (const { certificate, key } of [given, expired, { ...given, key: expired.key }]) {
    expect((await browser.post(`${base}/check`, { certificate, key })).status).toBe(200)
  }
  await browser.post(`${base}/replacements`, { what: 'given', certificate: given.certificate, key: expired.key })
  // Incus itself repeats what it was given when it is told to say everything.
  cluster.emitRaw({ type: 'logging', metadata: { message: given.key, level: 'debug' } })
  await replace(browser, { what: 'given', certificate: given.certificate, key: given.key })
  const wanted = { subject: 'incus.example', names: ['incus.example'], curve: 'P-256' }
  const { prepared } = prepareKey.reply.parse((await browser.post(`${base}/keys`, wanted)).json)
  await replace(browser, { what: 'given', certificate: signRequest(authority, prepared.request), key: '' })
  return [given.key, expired.key, cluster.state.certificate.key]
}

async function replace(browser: TestBrowser, body: Readonly<Record<string, string>>): Promise<void> {
  const base = `/api/clusters/${clusterName}/certificate`
  const reply = await browser.post(`${base}/replacements`, body)
  expect(reply.status, reply.text).toBe(200)
  await eventually(
    async () => getReplacement.reply.parse((await browser.get(`${base}/replacement`)).json).latest,
    (latest) => latest?.verdict === 'done',
  )
}

/** Requests that fail in every room, with secrets where strangers put them. */
async function misbehave(browser: TestBrowser): Promise<void> {
  const asked = [
    { path: `/api/clusters/${clusterName}/members?secret=${planted.operationSecret}` },
    { path: '/api/audit?access_token=canary' },
    { path: '/api/clusters/%2e%2e/members' },
    { path: '/api/session', headers: { authorization: `Bearer ${planted.operationToken}` } },
    { path: '/api/session', headers: { cookie: `__Host-Http-sid=${'A'.repeat(22)}.${'B'.repeat(43)}` } },
    {
      method: 'POST',
      path: `/api/clusters/${clusterName}/members/server1/state`,
      body: { password: planted.instanceConfig },
    },
    { path: `/auth/callback?code=${planted.operationToken}&state=${planted.operationSecret}` },
  ]
  for (const request of asked) expect((await browser.ask(request)).status).toBeLessThan(500)
}

interface Secret {
  readonly name: string
  readonly text: string
  /** May be told to browsers: it is theirs. */
  readonly mayReachBrowsers?: boolean
}

async function allSecrets(cookies: readonly string[]): Promise<readonly Secret[]> {
  const keys = await readFile(path.join(app.folder, 'keys'), 'utf8')
  return [
    ...Object.entries(planted).map(([name, text]) => ({ name, text })),
    { name: 'the client secret', text: clientSecret },
    ...bodyOfPem(app.identity.key).map((text) => ({ name: 'the key of the console', text })),
    ...(keys.match(/[A-Za-z0-9+/=_-]{40,}/g) ?? []).map((text) => ({ name: 'a key in the file of keys', text })),
    // The signature is what makes a token; its head is the same in all.
    ...app.provider.tokensGiven.map(({ kind, token }) => ({
      name: kind,
      text: token.split('.').at(-1) ?? token,
    })),
    ...cookies.flatMap((cookie) => {
      const [id = '', secret = ''] = cookie.split('.')
      return [
        { name: 'the secret of a cookie', text: secret, mayReachBrowsers: true },
        { name: 'the id of a cookie', text: id, mayReachBrowsers: true },
      ]
    }),
  ]
}

function bodyOfPem(pem: string): string[] {
  return pem.split('\n').filter((line) => line.length > 40 && !line.startsWith('-----'))
}

/** Where a secret was found, in whatever form somebody may have written it down. */
async function hitsIn(secrets: readonly Secret[]): Promise<string[]> {
  const folder = path.join(app.folder, 'var')
  const files = (await readdir(folder)).toSorted()
  const stored = await Promise.all(
    files.map(async (name) => ({ name, bytes: await readFile(path.join(folder, name)) })),
  )
  const places = [
    ...stored.map(({ name, bytes }) => ({ name: name.replace(/-(wal|shm)$/, ''), bytes, isBrowser: false })),
    { name: 'the log', bytes: Buffer.from(app.logs.join('')), isBrowser: false },
    ...browsers.map((browser, at) => ({
      name: `the bytes of browser ${at + 1}`,
      bytes: Buffer.concat(browser.received),
      isBrowser: true,
    })),
  ]
  const hits = secrets.flatMap(({ name, text, mayReachBrowsers = false }) =>
    places
      .filter(
        ({ isBrowser, bytes }) =>
          !(isBrowser && mayReachBrowsers) && formsOf(text).some((form) => bytes.includes(form)),
      )
      .map((place) => `${name} in ${place.name}`),
  )
  return [...new Set(hits)].toSorted()
}

function formsOf(text: string): readonly Buffer[] {
  const plain = Buffer.from(text)
  const decoded = /^[\w-]{22,}$/.test(text) ? [Buffer.from(text, 'base64url')] : []
  const hexed = decoded.map((bytes) => Buffer.from(bytes.toString('hex')))
  const encoded = (['base64', 'base64url', 'hex'] as const).map((form) =>
    Buffer.from(plain.toString(form).replace(/=+$/, '')),
  )
  return [plain, ...decoded, ...hexed, ...encoded]
}
