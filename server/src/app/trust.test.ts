import { randomUUID } from 'node:crypto'
import { createTrustToken, getTrust, getTrustEntry } from '@malleus/shared/api/trust.ts'
import type { TrustView } from '@malleus/shared/api/trust.ts'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { fingerprintOf, selfSigned } from '../../testing/certificate-authority.ts'
import { eventually } from '../../testing/eventually.ts'
import { startTestApp } from '../../testing/test-app.ts'
import type { TestApp } from '../../testing/test-app.ts'
import { problemOf } from '../../testing/test-browser.ts'
import type { TestBrowser } from '../../testing/test-browser.ts'
import { clusterName } from '../../testing/test-world.ts'

// A whole console, on a machine that may have much to do.
vi.setConfig({ testTimeout: 45_000 })

const trustPath = `/api/clusters/${clusterName}/trust`
const tokensPath = `/api/clusters/${clusterName}/trust-tokens`

let app: TestApp
let admin: TestBrowser
beforeAll(async () => {
  app = await startTestApp()
  admin = await app.signIn('admin')
})
afterAll(() => app.close())

/** As the cluster says it now; a machine that has much to do may be late. */
async function seenBy(browser: TestBrowser): Promise<TrustView> {
  return eventually(
    async () => getTrust.reply.parse((await browser.get(trustPath)).json),
    ({ freshness, tokensFreshness }) => freshness.kind === 'fresh' && tokensFreshness.kind === 'fresh',
  )
}

function trusted(name: string): { fingerprint: string; certificate: string } {
  const { certificate } = selfSigned({ commonName: name })
  app.cluster.trust(certificate, { name })
  return { fingerprint: fingerprintOf(certificate), certificate }
}

const executed = (path: RegExp) => app.cluster.executions.filter((one) => path.test(one.path))

describe('the trust page', () => {
  test("lists whom the cluster trusts, as the person sees it, with the console's own entry marked", async () => {
    const { fingerprint } = trusted('monitoring')
    const { entries } = await seenBy(admin)
    expect(entries.find((entry) => entry.fingerprint === fingerprint)).toMatchObject({
      name: 'monitoring',
      type: 'client',
      restricted: false,
      isConsole: false,
    })
    expect(entries.filter(({ isConsole }) => isConsole).map(({ name }) => name)).toEqual(['malleus'])
    const asked = app.cluster.requests.findLast(({ url }) => url === '/1.0/certificates?recursion=1')
    expect(asked).toMatchObject({ peerFingerprint: null, authorization: expect.stringMatching(/^Bearer /) })
  })

  test('says who may do what, and how it is put right', async () => {
    const { authorization, findings } = await seenBy(admin)
    expect(authorization).toMatchObject({ drivers: ['tls'], tokenExpiry: null })
    expect(findings.map(({ code }) => code)).toContain('oidc_everyone_admin')
    expect(findings.find(({ code }) => code === 'tokens_never_expire')).toMatchObject({
      command: `incus config set ${clusterName}: core.remote_token_expiry=1d`,
    })
  })
})

describe('a finding that one key puts right', () => {
  const settingsPath = `/api/clusters/${clusterName}/trust-settings`

  test('is put right, with every other key as it was', async () => {
    app.cluster.state.config['user.note'] = 'kept'
    const { findings } = await seenBy(admin)
    const { setting } = findings.find(({ code }) => code === 'tokens_never_expire') ?? {}
    expect(setting).toEqual({ key: 'core.remote_token_expiry', from: null, to: '1d' })
    const changed = await admin.post(settingsPath, setting)
    expect(changed.status, changed.text).toBe(200)
    expect(app.cluster.state.config).toMatchObject({ 'core.remote_token_expiry': '1d', 'user.note': 'kept' })
    const after = await seenBy(admin)
    expect(after.authorization?.tokenExpiry).toBe('1d')
    expect(after.findings.map(({ code }) => code)).not.toContain('tokens_never_expire')

    // What somebody has put right meanwhile is not done again.
    expect((await admin.post(settingsPath, setting)).status).toBe(412)
  })

  test.each([
    ['another key', { key: 'core.https_address', from: null, to: '' }],
    ['another value', { key: 'oidc.claim', from: null, to: 'email' }],
  ])('is no way to %s', async (_, setting) => {
    const before = executed(/^\/1\.0$/).length
    expect((await admin.post(settingsPath, setting)).status).toBe(412)
    expect(executed(/^\/1\.0$/)).toHaveLength(before)
  })
})

describe('a client', () => {
  test('is trusted by its certificate, kept to a project, and trusted no more', async () => {
    const { certificate } = selfSigned({ commonName: 'laptop' })
    const fingerprint = fingerprintOf(certificate)
    const wanted = { name: 'laptop', type: 'client', restricted: false, projects: [], certificate }
    const added = await admin.post(trustPath, wanted)
    expect(added.status, added.text).toBe(201)
    expect(added.json).toEqual({ fingerprint })
    expect(app.cluster.state.trust.find(fingerprint)).toMatchObject({ name: 'laptop', restricted: false })

    const read = getTrustEntry.reply.parse((await admin.get(`${trustPath}/${fingerprint}`)).json)
    expect(fingerprintOf(read.pem)).toBe(fingerprint)
    const change = { etag: read.etag, name: "Jo's laptop", restricted: true, projects: ['default'] }
    const changed = await admin.ask({ method: 'PUT', path: `${trustPath}/${fingerprint}`, body: change })
    expect(changed.status, changed.text).toBe(200)
    expect(app.cluster.state.trust.find(fingerprint)).toMatchObject({
      name: "Jo's laptop",
      restricted: true,
      projects: ['default'],
    })

    // What was read before somebody changed it is not written over that.
    const late = await admin.ask({ method: 'PUT', path: `${trustPath}/${fingerprint}`, body: change })
    expect([late.status, problemOf(late).code]).toEqual([412, 'precondition_failed'])

    const removed = await admin.post(`${trustPath}/${fingerprint}/remove`, {})
    expect(removed.status, removed.text).toBe(200)
    expect(app.cluster.state.trust.find(fingerprint)).toBeUndefined()

    const records = await app.history()
    expect(
      records
        .filter(({ action, source }) => source === 'console' && /^trust\.(add|update|remove)$/.test(action))
        .map(({ action, phase, out }) => `${action} ${phase} ${out?.status ?? ''}`.trim()),
    ).toEqual([
      'trust.add intent',
      'trust.add outcome 201',
      'trust.update intent',
      'trust.update outcome 200',
      'trust.update intent',
      'trust.update outcome 412',
      'trust.remove intent',
      'trust.remove outcome 200',
    ])
  })

  test.each([
    ['a private key', () => selfSigned({ commonName: 'x' }).key, /private key/],
    [
      'two certificates',
      () => `${selfSigned({ commonName: 'x' }).certificate}${selfSigned({ commonName: 'y' }).certificate}`,
      /one certificate/,
    ],
    ['something else', () => 'hello', /one certificate/],
    ['an expired certificate', () => selfSigned({ commonName: 'x', notAfter: new Date(0) }).certificate, /expired/],
  ])('is not trusted by %s', async (_, make, words) => {
    const before = executed(/certificates$/).length
    const wanted = { name: 'x', type: 'client', restricted: false, projects: [], certificate: make() }
    const refused = await admin.post(trustPath, wanted)
    expect([refused.status, problemOf(refused).code]).toEqual([409, 'not_possible'])
    expect(problemOf(refused).detail).toMatch(words)
    expect(executed(/certificates$/)).toHaveLength(before)
  })

  test('that is this console is neither removed nor restricted, and may be called otherwise', async () => {
    const own = fingerprintOf(app.identity.certificate)
    const refused = await admin.post(`${trustPath}/${own}/remove`, {})
    expect(problemOf(refused)).toMatchObject({ code: 'not_possible', detail: expect.stringContaining('Rotate it') })
    const { etag } = getTrustEntry.reply.parse((await admin.get(`${trustPath}/${own}`)).json)
    const put = (change: object) => admin.ask({ method: 'PUT', path: `${trustPath}/${own}`, body: { etag, ...change } })
    expect((await put({ name: 'malleus', restricted: true, projects: [] })).status).toBe(409)
    expect((await put({ name: 'console', restricted: false, projects: [] })).status).toBe(200)
    expect(app.cluster.state.trust.find(own)).toMatchObject({ name: 'console', restricted: false })
  })
})

describe('a token', () => {
  const wanted = { name: 'new-laptop', restricted: true, projects: ['default'], withdrawAfterMinutes: null }

  test('is shown once, is pending with who made it and where it is, and is withdrawn', async () => {
    const key = randomUUID()
    const reply = await admin.post(tokensPath, wanted, key)
    expect(reply.status, reply.text).toBe(201)
    const { token, command, pending } = createTrustToken.reply.parse(reply.json)
    expect(command).toBe(`incus remote add ${clusterName} ${token}`)
    expect(pending).toMatchObject({ name: 'new-laptop', restricted: true, madeBy: { name: 'Mika Admin', here: true } })
    expect(app.cluster.members).toContain(pending.member)

    // Whoever asks again with the same key is told that it was done, and not given it again.
    const again = await admin.post(tokensPath, wanted, key)
    expect([again.status, problemOf(again).code]).toEqual([409, 'already_done'])
    expect(again.text).toContain(pending.id)
    expect(again.text).not.toContain(token)

    expect((await seenBy(admin)).tokens).toEqual([pending])
    await app.restart()
    admin = await app.signIn('admin')
    expect((await seenBy(admin)).tokens).toEqual([pending])

    const withdrawn = await admin.post(`${tokensPath}/${pending.id}/withdraw`, {})
    expect(withdrawn.status, withdrawn.text).toBe(200)
    expect((await seenBy(admin)).tokens).toEqual([])
    expect((await admin.post(`${tokensPath}/${pending.id}/withdraw`, {})).status).toBe(404)
  })

  test('that the console has to withdraw is withdrawn by the next process too', async () => {
    // Who could promise it is known once the console has read its own entry.
    await eventually(
      () => seenBy(admin),
      ({ cannotWithdraw }) => cannotWithdraw === null,
    )
    const reply = await admin.post(tokensPath, { ...wanted, withdrawAfterMinutes: 60 })
    expect(reply.status, reply.text).toBe(201)
    const { pending } = createTrustToken.reply.parse(reply.json)
    expect(Date.parse(pending.withdrawnAt ?? '') - Date.now()).toBeGreaterThan(59 * 60_000)
    await app.restart()
    admin = await app.signIn('admin')
    expect((await seenBy(admin)).tokens).toMatchObject([{ id: pending.id, withdrawnAt: pending.withdrawnAt }])
  })

  test('that somebody made on a server is pending too, and nobody knows who', async () => {
    app.cluster.trustToken('by-hand', { on: 'server2' })
    const { tokens } = await seenBy(admin)
    expect(tokens.find(({ name }) => name === 'by-hand')).toMatchObject({ member: 'server2', madeBy: null })
  })
})

describe("the console's own identity", () => {
  const rotatePath = `/api/clusters/${clusterName}/trust-identity/rotate`
  const ownEntry = async () => (await seenBy(admin)).entries.find(({ isConsole }) => isConsole)

  test('is rotated while people read, drops none of their requests, and outlives the process', async () => {
    const before = fingerprintOf(app.identity.certificate)
    expect((await ownEntry())?.fingerprint).toBe(before)
    const over = new AbortController()
    const failed: string[] = []
    const reading = Array.from({ length: 4 }, async () => {
      while (!over.signal.aborted) {
        const reply = await admin.get(`/api/clusters/${clusterName}/members/server1`)
        if (reply.status !== 200) failed.push(reply.text)
      }
    })
    const rotated = await admin.post(rotatePath, {})
    over.abort()
    await Promise.all(reading)
    expect(rotated.status, rotated.text).toBe(200)
    expect(failed).toEqual([])

    const own = await ownEntry()
    expect(own).toMatchObject({ type: 'client', restricted: false })
    expect(rotated.json).toEqual({ fingerprint: own?.fingerprint })
    expect(own?.fingerprint).not.toBe(before)
    expect(app.cluster.state.trust.find(before)).toBeUndefined()
    expect((await seenBy(admin)).rotation).toEqual({ stage: 'settled', problem: null, cannot: null })

    await app.restart()
    admin = await app.signIn('admin')
    expect((await ownEntry())?.fingerprint).toBe(own?.fingerprint)
    // It is asked with the new one: what needs an identity is known again.
    await eventually(
      () => seenBy(admin),
      ({ cannotWithdraw }) => cannotWithdraw === null,
    )
    const asked = app.cluster.requests.flatMap(({ peerFingerprint }) => peerFingerprint ?? [])
    expect(asked.at(-1)).toBe(own?.fingerprint)
  })
})

test('nobody without the role changes anything, and nobody is shown a secret', async () => {
  const viewer = await app.signIn('viewer')
  const before = app.cluster.executions.length
  for (const [path, body] of [
    [trustPath, { name: 'x', type: 'client', restricted: false, projects: [], certificate: 'x' }],
    [tokensPath, { name: 'x', restricted: false, projects: [], withdrawAfterMinutes: null }],
  ] as const) {
    expect(problemOf(await viewer.post(path, body)).code).toBe('forbidden')
  }
  expect(app.cluster.executions).toHaveLength(before)
  expect((await viewer.get(trustPath)).text).not.toMatch(/"secret"|"token":/)
})
