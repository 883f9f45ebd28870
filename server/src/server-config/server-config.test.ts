import { afterEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { startGatewayWorld } from '../../testing/gateway-world.ts'
import type { GatewayWorld } from '../../testing/gateway-world.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { tagOf } from '../lib/keys.ts'
import { systemClock } from '../lib/clock.ts'
import { knownKey } from './known-keys.ts'
import { ServerConfig } from './server-config.ts'
import { ChangedMeanwhile, SettingsLost } from './server-config-error.ts'

vi.setConfig({ testTimeout: 20_000 })

const mask = (secret: string): string => tagOf(Buffer.alloc(32, 5), 'redacted', secret).toString('base64url')
const scope = { kind: 'console' } as const

let world: GatewayWorld | undefined
afterEach(async () => {
  await world?.[Symbol.asyncDispose]()
  world = undefined
})

async function start(options: Parameters<typeof startGatewayWorld>[0] = {}): Promise<{
  cluster: GatewayWorld['cluster']
  gateway: GatewayWorld['gateway']
  settings: ServerConfig
  /** All that the first server has, secrets and addresses too. */
  all: () => Promise<Readonly<Record<string, string>>>
}> {
  world = await startGatewayWorld(options)
  const { cluster, gateway } = world
  Object.assign(cluster.state.config, {
    'core.https_trusted_proxy': '10.0.0.9',
    'oidc.issuer': 'https://idp.example.net',
    'acme.provider.environment': 'TOKEN=a-secret',
    'user.note': 'kept',
  })
  const settings = new ServerConfig({ gateway, whyNotNow: () => null, mask, clock: systemClock })
  return { cluster, gateway, settings, all: async () => (await settings.read(scope, 'server1')).config }
}

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => null,
    (error: unknown) => error,
  )

/** What people changed; reading the settings changes nothing. */
const written = (cluster: GatewayWorld['cluster']) =>
  cluster.requests.filter(({ method, url }) => method !== 'GET' && url.startsWith('/1.0'))

describe('a change of settings', () => {
  test('changes what it names and nothing else, on all servers', async () => {
    const { cluster, settings, all } = await start()
    const before = await all()
    const change = await settings.change(scope, { settings: { 'core.remote_token_expiry': '1H' } })
    expect(change).toMatchObject({
      before: { 'core.remote_token_expiry': null },
      after: { 'core.remote_token_expiry': '1H' },
      written: true,
    })
    expect(await all()).toEqual({ ...before, 'core.remote_token_expiry': '1H' })
    expect((await settings.read(scope, 'server3')).config['core.https_address']).toBe(cluster.address('server3'))
    expect(written(cluster).map(({ method, url }) => `${method} ${url}`)).toEqual(['PUT /1.0'])
    expect(written(cluster)[0]?.headers.map(([name]) => name.toLowerCase())).toContain('if-match')
  })

  test('clears a setting, and what is not set it leaves alone', async () => {
    const { settings, all } = await start()
    await settings.change(scope, { settings: { 'core.https_trusted_proxy': null, 'core.https_allowed_origin': null } })
    const after = await all()
    expect(after).not.toHaveProperty(['core.https_trusted_proxy'])
    expect(after['user.note']).toBe('kept')
  })

  test('asked for again after it was made changes nothing and sends nothing', async () => {
    const { cluster, settings } = await start()
    const wanted = { settings: { 'core.remote_token_expiry': '1H', 'acme.challenge': 'HTTP-01' } }
    await settings.change(scope, wanted)
    expect(await settings.change(scope, wanted)).toMatchObject({ written: false })
    expect(written(cluster)).toHaveLength(1)
  })

  test('shows secrets masked, and takes a mask for the secret', async () => {
    const { settings, all } = await start()
    const secret = { $redacted: mask('TOKEN=a-secret') }
    const change = await settings.change(scope, {
      settings: { 'acme.provider.environment': secret, 'acme.email': 'a@example.net' },
      shown: { 'acme.provider.environment': secret, 'acme.email': null },
    })
    expect(change.before['acme.provider.environment']).toEqual(secret)
    expect(JSON.stringify(change)).not.toContain('a-secret')
    expect((await all())['acme.provider.environment']).toBe('TOKEN=a-secret')
  })

  test('goes to the server whose own setting it is', async () => {
    const { settings } = await start()
    const wanted = { settings: { 'core.metrics_address': '127.0.0.1:8444' } }
    await expect(settings.change(scope, wanted)).rejects.toMatchObject({ code: 'not_possible' })
    await settings.change(scope, { ...wanted, member: 'server2' })
    expect((await settings.read(scope, 'server2')).config['core.metrics_address']).toBe('127.0.0.1:8444')
    expect((await settings.read(scope, 'server1')).config).not.toHaveProperty(['core.metrics_address'])
  })

  test.each(['core.https_address', 'cluster.https_address', 'user.note', 'no.such.key', 'toString'])(
    'is not sent for %s, which is not changed from here',
    async (key) => {
      const { cluster, settings } = await start()
      await expect(settings.change(scope, { settings: { [key]: 'x' } })).rejects.toMatchObject({ code: 'not_possible' })
      expect(written(cluster)).toHaveLength(0)
    },
  )

  test('is not sent for a setting that this version of Incus does not have', async () => {
    const { cluster, settings } = await start()
    const why = await failureOf(settings.change(scope, { settings: { 'acme.eab.kid': 'k' } }))
    expect(String(why)).toContain('6.0.4 has no acme.eab.kid')
    expect(written(cluster)).toHaveLength(0)
  })

  test('is not sent while a server hangs', async () => {
    const { cluster, gateway } = await start()

    const settings = new ServerConfig({ gateway, whyNotNow: () => 'server2 hangs.', mask, clock: systemClock })
    await expect(settings.change(scope, { settings: { 'acme.email': 'x' } })).rejects.toThrow('server2 hangs.')
    expect(written(cluster)).toHaveLength(0)
  })
})

describe('somebody else changes settings too', () => {
  test('before what was shown is changed: nothing is changed', async () => {
    const { cluster, settings } = await start()
    const shown = { 'core.https_trusted_proxy': '10.0.0.9' }
    cluster.state.config['core.https_trusted_proxy'] = '10.0.0.10'
    const wanted = { settings: { 'core.https_trusted_proxy': '10.0.0.11' }, shown }
    expect(await failureOf(settings.change(scope, wanted))).toBeInstanceOf(ChangedMeanwhile)
    expect(cluster.state.config['core.https_trusted_proxy']).toBe('10.0.0.10')
  })

  test('between reading and writing: both changes are kept', async () => {
    const { cluster, settings, all } = await start()
    let quick = true
    cluster.onRequest(({ method }) => {
      if (method !== 'PUT' || !quick) return
      quick = false
      cluster.state.config['cluster.max_voters'] = '5'
    })
    await settings.change(scope, { settings: { 'core.remote_token_expiry': '1H' } })
    expect(await all()).toMatchObject({ 'cluster.max_voters': '5', 'core.remote_token_expiry': '1H' })
    expect(written(cluster)).toHaveLength(2)
  })

  test('again and again: it is given up, and nothing of theirs is lost', async () => {
    const { cluster, settings } = await start()
    let count = 0
    cluster.onRequest(({ method }) => {
      if (method === 'PUT') cluster.state.config['cluster.max_voters'] = String((count += 2))
    })
    const why = await failureOf(settings.change(scope, { settings: { 'core.remote_token_expiry': '1H' } }))
    expect(why).toMatchObject({ code: 'precondition_failed' })
    expect(cluster.state.config['cluster.max_voters']).toBe(String(count))
  })
})

describe('a change that Incus refuses loses nothing', () => {
  const refused = { 'cluster.offline_threshold': '10' }

  test('where a PATCH would erase everything that it does not name, addresses included', async () => {
    const { cluster, gateway, all } = await start()

    const target = { kind: 'member', name: 'server1' } as const
    const patch = gateway.write({
      scope,
      target,
      method: 'PATCH',
      path: '',
      body: { config: refused },
      parse: z.unknown(),
    })
    await expect(patch).rejects.toMatchObject({ status: 400 })
    expect(cluster.state.config['oidc.issuer']).toBe('')
    await expect(all()).rejects.toMatchObject({ code: 'not_possible' })
  })

  test.each(['6.0.4', '7.0.2'] as const)('on %s', async (version) => {
    const { settings, all } = await start({ cluster: { version } })
    const before = await all()
    await expect(settings.change(scope, { settings: refused })).rejects.toMatchObject({ code: 'not_possible' })
    expect(await all()).toEqual(before)
  })

  test('nor when it was to clear one', async () => {
    const { settings, all } = await start()
    const before = await all()
    const wanted = { settings: { ...refused, 'core.https_trusted_proxy': null } }
    await expect(settings.change(scope, wanted)).rejects.toMatchObject({ code: 'not_possible' })
    expect(await all()).toEqual(before)
  })

  test('and if it does all the same, that is told with the names', async () => {
    const { cluster, settings } = await start()
    cluster.onRequest(({ method }) => {
      if (method === 'PUT') setImmediate(() => (cluster.state.config['user.note'] = 'another'))
    })
    const why = await failureOf(settings.change(scope, { settings: refused }))
    expect(why).toBeInstanceOf(SettingsLost)
    expect(why).toMatchObject({ keys: ['user.note'] })
  })
})

describe('a change whose answer is lost', () => {
  test('is confirmed by what the server says afterwards, and is not sent again', async () => {
    const { cluster, settings } = await start()
    cluster.faultAt({ method: 'PUT', path: '/1.0', at: 'response', afterBytes: 0, kind: 'reset' })
    const change = await settings.change(scope, { settings: { 'core.remote_token_expiry': '1H' } })
    expect(change.written).toBe(true)
    expect(written(cluster)).toHaveLength(1)
  })

  test('stays unknown when the settings do not tell', async () => {
    const { cluster, gateway } = await start()

    const clock = new ManualClock()
    const settings = new ServerConfig({ gateway, whyNotNow: () => null, mask, clock })
    cluster.faultAt({ method: 'PUT', path: '/1.0', at: 'request', afterBytes: 40, kind: 'reset' })
    const changing = failureOf(settings.change(scope, { settings: { 'core.remote_token_expiry': '1H' } }))
    const passing = setInterval(() => void clock.pass(1_000), 5)
    expect(await changing).toMatchObject({ code: 'outcome_unknown' })
    clearInterval(passing)
    expect(cluster.executions).toHaveLength(0)
  })
})

test('who may not see the settings cannot clear them all by changing one', async () => {
  const { cluster, settings } = await start()
  for (const entry of cluster.state.trust.all()) entry.restricted = true
  const why = await failureOf(settings.change(scope, { settings: { 'acme.email': 'a@example.net' } }))
  expect(String(why)).toContain('does not show you')
  expect(written(cluster)).toHaveLength(0)
})

test('a name of Object is no setting', () => {
  expect(knownKey('constructor')).toBeUndefined()
})
