import { AcmeOrder, AcmeView, getAcme } from '@malleus/shared/api/acme.ts'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { eventually } from '../../testing/eventually.ts'
import { startTestApp } from '../../testing/test-app.ts'
import type { TestApp } from '../../testing/test-app.ts'
import type { TestBrowser } from '../../testing/test-browser.ts'
import { clusterName } from '../../testing/test-world.ts'

vi.setConfig({ testTimeout: 45_000 })

let app: TestApp
afterEach(() => app.close())

const path = `/api/clusters/${clusterName}/acme`
const secrets = { environment: 'HETZNER_API_KEY=canary-of-the-zone', hmac: 'canary-of-the-account' }
const settings = {
  domains: ['incus.example.net'],
  email: 'a@example.net',
  directory: 'https://acme.example.net/dir',
  agreed: true,
  challenge: 'DNS-01',
  httpPort: '',
  provider: 'hetzner',
  environment: secrets.environment,
  resolvers: '',
  account: { keyId: 'kid', hmac: secrets.hmac },
} as const

/** As the servers say it now; a machine that has much to do may be late. */
const view = (browser: TestBrowser) =>
  eventually(
    async () => getAcme.reply.parse((await browser.get(path)).json),
    ({ freshness }) => freshness.kind === 'fresh',
  )
const untilEnded = (browser: TestBrowser) =>
  eventually(
    async () => (await view(browser)).order,
    (order) => order?.endedAt !== null && order !== null,
  )
const put = (browser: TestBrowser, body: unknown) => browser.ask({ method: 'PUT', path, body })

describe('ACME', () => {
  test('is set up, renewed and turned off by an administrator, and everything of it is in the history', async () => {
    app = await startTestApp({ cluster: { version: '7.0.2' } })
    const admin = await app.signIn('admin')
    const { fingerprint } = app.cluster
    const before = await view(admin)
    expect(before).toMatchObject({ state: 'off', settings: null, order: null })

    const reply = await put(admin, { settings, shown: before.shown })
    expect(reply.status).toBe(202)
    expect(AcmeOrder.parse((reply.json as { order: unknown }).order)).toMatchObject({ phase: 'ordering' })
    expect(await untilEnded(admin)).toMatchObject({ kind: 'configure', phase: 'done' })
    const issued = app.cluster.fingerprint
    expect(issued).not.toBe(fingerprint)

    const after = await eventually(
      () => view(admin),
      ({ state }) => state === 'on',
    )
    expect(after.settings).toMatchObject({ provider: 'hetzner', environment: { $redacted: expect.any(String) } })
    expect(AcmeView.parse(after).last).toMatchObject({ outcome: 'success' })

    expect((await admin.post(`${path}/renewal`, {})).status).toBe(202)
    expect(await untilEnded(admin)).toMatchObject({ kind: 'renew', phase: 'done' })
    expect(app.cluster.fingerprint).not.toBe(issued)

    expect((await put(admin, { settings: null, shown: (await view(admin)).shown })).status).toBe(202)
    expect(await untilEnded(admin)).toMatchObject({ kind: 'turn-off', phase: 'done' })
    expect(await view(admin)).toMatchObject({ state: 'off', settings: null })

    const told = (await app.history()).filter(({ action }) => action.startsWith('acme.') && action !== 'acme.read')
    const ends = told.filter(({ out }) => out?.opStatus === 'done').map(({ action, actor }) => [action, actor?.name])
    expect(ends).toEqual([
      ['acme.configure', 'Mika Admin'],
      ['acme.renew', 'Mika Admin'],
      ['acme.configure', 'Mika Admin'],
    ])
    expect(told.filter(({ phase }) => phase === 'intent')).toHaveLength(3)
  })

  test('T-mask-roundtrip: keeps its secrets when something else is changed, and shows them to nobody', async () => {
    app = await startTestApp({ cluster: { version: '7.0.2' } })
    const admin = await app.signIn('admin')
    await put(admin, { settings, shown: (await view(admin)).shown })
    await untilEnded(admin)
    const shown = await view(admin)
    const changed = { ...shown.settings, email: 'b@example.net' }
    expect((await put(admin, { settings: changed, shown: shown.shown })).status).toBe(202)
    await untilEnded(admin)
    expect(app.cluster.state.config).toMatchObject({
      'acme.email': 'b@example.net',
      'acme.provider.environment': secrets.environment,
      'acme.eab.hmac': secrets.hmac,
    })
    expect(JSON.stringify(app.cluster.executions)).not.toContain('$redacted')
    app.cluster.state.config['acme.eab.hmac'] = 'another'
    const again = await put(admin, { settings: changed, shown: {} })
    expect(again.status).toBe(409)
    expect(again.text).toContain('secret_changed')
  })

  test('is looked at and not touched by others', async () => {
    app = await startTestApp()
    const viewer = await app.signIn('viewer')
    expect(await view(viewer)).toMatchObject({ state: 'off' })
    expect((await put(viewer, { settings: null, shown: {} })).status).toBe(403)
    expect((await viewer.post(`${path}/check`, { settings: { ...settings, account: null } })).status).toBe(403)
    expect((await viewer.post(`${path}/renewal`, {})).status).toBe(403)
  })

  test('is checked before: what stands in the way is said line by line', async () => {
    app = await startTestApp()
    const admin = await app.signIn('admin')
    const wanted = { ...settings, challenge: 'HTTP-01', domains: ['localhost.localdomain.invalid'], environment: null }
    const reply = await admin.post(`${path}/check`, { settings: wanted })
    expect(reply.status).toBe(200)
    expect(reply.text).toContain('has no address')
    expect(reply.text).toContain('6.0.4 has no accounts yet')
  })
})
