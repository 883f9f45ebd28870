import type { AcmeOrder } from '@malleus/shared/api/acme.ts'
import type { Operation } from '@malleus/shared/api/operations.ts'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { eventually } from '../../testing/eventually.ts'
import { startGatewayWorld } from '../../testing/gateway-world.ts'
import { legoIsMissing } from '../../testing/stand-in/acme.ts'
import { IncusOperation } from '@malleus/shared/incus/operation.ts'
import { systemClock } from '../lib/clock.ts'
import type { Clock } from '../lib/clock.ts'
import { tagOf } from '../lib/keys.ts'
import { silentLogger } from '../lib/logger.ts'
import { systemRandom } from '../lib/random.ts'
import { fromIncus } from '../operations/operation-log.ts'
import { ServerConfig } from '../server-config/server-config.ts'
import { AcmeOrders } from './acme-orders.ts'
import { changesTo, changesToOrderAgain } from './acme-settings.ts'
import { renewalDescription } from './acme-view.ts'
import type { AcmeOrderStore, KeptOrder } from './acme-order-store.ts'

vi.setConfig({ testTimeout: 20_000 })

const mask = (secret: string): string => tagOf(Buffer.alloc(32, 5), 'redacted', secret).toString('base64url')
const scope = { kind: 'console' } as const
const settings = {
  domains: ['incus.example.net'],
  email: 'a@example.net',
  directory: 'https://acme.example.net/dir',
  agreed: true,
  challenge: 'DNS-01',
  httpPort: '',
  provider: 'manual',
  environment: 'ZONE_TOKEN=canary-of-a-zone',
  resolvers: '',
  account: null,
} as const
const wanted = {
  kind: 'configure',
  domain: 'incus.example.net',
  settings: changesTo({ ...settings, domains: [...settings.domains] }),
  scope,
  by: 'Jo',
  begun: { by: 'Jo' },
} as const

const ends: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

/** Time that passes as fast as it can be lived through, for waits between looks. */
const quickClock: Clock = {
  ...systemClock,
  after: (delayMs, callback) => systemClock.after(Math.min(delayMs, 5), callback),
}

class MemoryStore implements AcmeOrderStore {
  kept: KeptOrder | null = null
  readonly written: string[] = []
  read = async () => this.kept
  write = async (_cluster: string, kept: KeptOrder) => {
    this.kept = kept
    this.written.push(JSON.stringify(kept))
  }
}

async function start(options: { clock?: Clock; store?: MemoryStore } = {}) {
  const world = await startGatewayWorld()
  ends.push(async () => world[Symbol.asyncDispose]())
  const { cluster, gateway } = world
  Object.assign(cluster.state.config, { 'core.https_trusted_proxy': '10.0.0.9', 'user.note': 'kept' })
  const { clock = systemClock, store = new MemoryStore() } = options
  const serverConfig = new ServerConfig({ gateway, whyNotNow: () => null, mask, clock })
  const ended: { order: AcmeOrder; begun: unknown }[] = []
  const seen: string[] = []
  const renewals = async (): Promise<readonly Operation[]> =>
    cluster.operations
      .all()
      .map((operation) => fromIncus(IncusOperation.parse(operation.render()), null, null, clock.now()))
      .filter(({ description }) => description === renewalDescription)
      .toReversed()
  const orders = new AcmeOrders({
    cluster: 'prod-eu',
    serverConfig,
    leader: () => cluster.leader ?? null,
    renewals,
    presented: () => cluster.members.map((member) => ({ member, fingerprint: cluster.fingerprint })),
    lookAgain: () => {},
    store,
    onChange: () => {
      const { latest } = orders
      if (latest !== null) seen.push(latest.phase)
    },
    onEnd: (order, begun) => ended.push({ order, begun }),
    clock,
    random: systemRandom,
    logger: silentLogger,
  })
  ends.push(() => orders.stop())
  const untilEnded = () =>
    eventually(
      () => orders.latest,
      (latest) => latest !== null && latest.endedAt !== null,
    )
  const shown = async (): Promise<Readonly<Record<string, string>>> =>
    (await serverConfig.read(scope, 'server1')).config
  const puts = () => cluster.requests.filter(({ method }) => method === 'PUT')
  return { cluster, orders, store, ended, seen, untilEnded, shown, puts, serverConfig }
}

describe('an order', () => {
  test('goes to the server that leads, takes its time behind, and ends when every server presents the certificate', async () => {
    const { cluster, orders, ended, seen, untilEnded, shown, puts } = await start()
    cluster.setLeader('server2')
    cluster.state.acme.takesMs = 50
    const before = await shown()
    const begun = await orders.begin(wanted)
    expect(begun).toMatchObject({ phase: 'ordering', by: 'Jo', endedAt: null })
    expect(begun.line).toContain('server2 orders')
    expect(await untilEnded()).toMatchObject({ phase: 'done', error: null })
    expect(orders.latest?.line).toContain('all 3 servers present it')
    expect(seen[0]).toBe('ordering')
    expect(puts().map(({ member }) => member)).toEqual(['server2'])
    expect(await shown()).toMatchObject({ ...before, 'acme.domain': 'incus.example.net', 'acme.challenge': 'DNS-01' })
    expect(ended).toEqual([{ order: orders.latest, begun: { by: 'Jo' } }])
  })

  test('is placed again when a setting changes that means nothing', async () => {
    const { cluster, orders, untilEnded, shown } = await start()
    await orders.begin(wanted)
    await untilEnded()
    const first = cluster.fingerprint
    const again = changesToOrderAgain(await shown())
    if (again === null) throw new Error('there is a setting to change')
    await orders.begin({ ...wanted, kind: 'renew', settings: again })
    expect(await untilEnded()).toMatchObject({ kind: 'renew', phase: 'done' })
    expect(cluster.fingerprint).not.toBe(first)
  })

  test('is refused while another one is under way', async () => {
    const { cluster, orders, untilEnded } = await start()
    cluster.state.acme.takesMs = 200
    const all = await Promise.allSettled([orders.begin(wanted), orders.begin(wanted)])
    expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
    await expect(orders.begin(wanted)).rejects.toMatchObject({ code: 'already_running' })
    await untilEnded()
  })

  test('is refused at once, and nothing is sent, when somebody changed a setting that was shown', async () => {
    const { orders, puts } = await start()
    const shown = { 'acme.domain': 'other.example.net' }
    await expect(orders.begin({ ...wanted, shown })).rejects.toMatchObject({ code: 'precondition_failed' })
    expect(orders.latest).toBeNull()
    expect(puts()).toHaveLength(0)
  })

  test('that fails leaves the settings as they were, on every server, and says why', async () => {
    const { cluster, orders, untilEnded, shown } = await start()
    const before = await shown()
    cluster.state.acme.fails = `Failed to run lego command: a lot
2026/11/22 18:08:56 Could not obtain certificates:
	error: one or more domains had a problem:
[incus.example.net] acme: error: 400 :: urn:ietf:params:acme:error:connection :: Fetching http://incus.example.net/: timeout)`
    await orders.begin(wanted)
    const ended = await untilEnded()
    expect(ended).toMatchObject({ phase: 'failed' })
    expect(ended?.error).toMatch(/^\[incus.example.net\] acme: error: 400/)
    expect(ended?.advice?.text).toContain('challenge')
    expect(ended?.line).toContain('as they were before')
    expect(await shown()).toEqual(before)
  })

  test('that fails for want of lego says how to install it', async () => {
    const { cluster, orders, untilEnded } = await start()
    cluster.state.acme.fails = legoIsMissing
    await orders.begin(wanted)
    expect((await untilEnded())?.advice).toMatchObject({ command: 'apt install lego' })
  })

  test('that fails tells no secret of the settings, wherever the program repeats it', async () => {
    const { cluster, orders, store, untilEnded } = await start()
    cluster.state.acme.fails = 'Failed to run lego command: bad credentials "canary-of-a-zone" for ZONE_TOKEN'
    await orders.begin(wanted)
    await untilEnded()
    expect(store.written.join('\n')).not.toContain('canary-of-a-zone')
    expect(orders.latest?.error).toContain('bad credentials')
  })

  test('that can be turned off is turned off without another order', async () => {
    const { cluster, orders, untilEnded, shown } = await start()
    const before = await shown()
    await orders.begin(wanted)
    await untilEnded()
    const { fingerprint } = cluster
    await orders.begin({ ...wanted, kind: 'turn-off', settings: changesTo(null) })
    expect(await untilEnded()).toMatchObject({ kind: 'turn-off', phase: 'done' })
    expect(await shown()).toEqual(before)
    expect(cluster.fingerprint).toBe(fingerprint)
  })
})

describe('an order whose answer is lost', () => {
  test('is found out by what Incus knows of it, and never sent again', async () => {
    const { cluster, orders, untilEnded, puts } = await start({ clock: quickClock })
    cluster.faultAt({ method: 'PUT', path: '/1.0', at: 'response', afterBytes: 0, kind: 'reset' })
    await orders.begin(wanted)
    expect(await untilEnded()).toMatchObject({ phase: 'done' })
    expect(puts()).toHaveLength(1)
  })

  test('and that failed is told to have failed', async () => {
    const { cluster, orders, untilEnded } = await start({ clock: quickClock })
    cluster.state.acme.fails = legoIsMissing
    cluster.faultAt({ method: 'PUT', path: '/1.0', at: 'response', afterBytes: 0, kind: 'reset' })
    await orders.begin(wanted)
    expect(await untilEnded()).toMatchObject({ phase: 'failed' })
  })

  test('is followed by a console that starts anew', async () => {
    const { cluster, orders, store, untilEnded } = await start({ clock: quickClock })
    cluster.state.acme.takesMs = 100
    await orders.begin(wanted)
    orders.stop()
    const kept = store.kept
    await eventually(
      () => cluster.operations.all().every(({ final }) => final),
      (all) => all,
    )
    expect(kept?.order.endedAt).toBeNull()
    const after = new MemoryStore()
    after.kept = kept
    const again = await start({ clock: quickClock, store: after })
    // What it sees is another cluster by now, with another certificate than before.
    await again.orders.open()
    expect(await again.untilEnded()).toMatchObject({ id: kept?.order.id, phase: 'done' })
    expect(again.puts()).toHaveLength(0)
    expect(orders.latest?.endedAt).toBeNull()
    void untilEnded
  })

  test('of which nobody knows anything is unknown after a while', async () => {
    let now = 0
    const clock: Clock = { ...quickClock, monotonic: () => (now += 5_000) }
    const { cluster, orders, untilEnded } = await start({ clock })
    cluster.faultAt({ method: 'PUT', path: '/1.0', at: 'request', afterBytes: 60, kind: 'reset' })
    await orders.begin(wanted)
    expect(await untilEnded()).toMatchObject({ phase: 'unknown' })
  })
})
