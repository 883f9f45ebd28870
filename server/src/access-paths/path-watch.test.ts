import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { systemRandom } from '../lib/random.ts'
import type { ClusterFacts, ConfiguredPath, Visit } from './access-path.ts'
import { PathWatch } from './path-watch.ts'
import type { VisitAsk, Visitor } from './visitor.ts'
import type { Client } from './waiting-clients.ts'

const facts: ClusterFacts = {
  members: ['server1', 'server2', 'server3'].map((name, at) => ({
    name,
    address: `10.20.0.1${at + 1}`,
    addresses: [`10.20.0.1${at + 1}`],
    standing: 'healthy',
    symptom: null,
    listens: ':8443',
  })),
  hasIdentity: true,
  trustedProxies: [],
  oidc: true,
  acmeDomain: '',
}

const dns: ConfiguredPath = {
  name: 'incus.example.net',
  kind: 'dns',
  target: { kind: 'endpoint', endpoint: { host: 'incus.example.net', port: 8443 } },
}

/** A network in which every address answers in 5 ms, but for those that are silent until `end`. */
class ScriptedVisitor implements Visitor {
  readonly visits: string[] = []
  addresses = ['10.20.0.11', '10.20.0.12', '10.20.0.13']
  ttlSeconds = 60
  silent = new Set<string>()
  /** Ends every visit that is waiting. */
  end: () => void = () => {}
  readonly #clock: ManualClock

  constructor(clock: ManualClock) {
    this.#clock = clock
  }

  resolve() {
    return Promise.resolve({
      records: this.addresses.map((address) => ({ address, ttlSeconds: this.ttlSeconds })),
      failure: null,
    })
  }

  visit(_path: ConfiguredPath, address: string, { round, patienceMs }: VisitAsk, onSilent: (visit: Visit) => void) {
    this.visits.push(address)
    const startedAt = this.#clock.now()
    const at = { round, startedAt, address, certificate: null, incusBehind: null }
    const failed = { kind: 'failed', how: 'silent', phase: 'tls', message: 'Nothing came.' } as const
    const waited = () => this.#clock.now() - startedAt
    return new Promise<Visit>((resolve) => {
      if (!this.silent.has(address)) {
        this.#clock.after(5, () => resolve({ ...at, end: { kind: 'answered', server: null, recognised: true, ms: 5 } }))
        return
      }
      this.#clock.after(1_000, () => onSilent({ ...at, end: { ...failed, ms: 1_000, pending: true } }))
      const before = this.end
      this.end = () => {
        before()
        resolve({ ...at, end: { kind: 'answered', server: null, recognised: true, ms: waited() } })
      }
      this.#clock.after(1_001 + patienceMs, () => resolve({ ...at, end: { ...failed, ms: waited(), pending: false } }))
    })
  }
}

function watched(path: ConfiguredPath = dns, mayVisit: (address: string) => boolean = () => true) {
  const clock = new ManualClock()
  const visitor = new ScriptedVisitor(clock)
  const clients: Client[] = []
  const seen = { changes: 0 }
  const budget = { some: true }
  const watch = new PathWatch({
    path,
    visitor,
    facts: () => facts,
    mayVisit,
    budget: { take: () => budget.some },
    clock,
    random: { ...systemRandom, fraction: () => 0.5 },
    onChange: () => (seen.changes += 1),
    onClient: (client) => clients.push(client),
    onVisit: () => {},
  })
  watch.start()
  return { clock, visitor, clients, seen, watch, budget }
}

describe('a path is visited', () => {
  test('at every address, each second after something changed, and every five in quiet', async () => {
    const { clock, visitor } = watched()
    await clock.pass(31_000)
    visitor.visits.length = 0
    await clock.pass(30_000)
    expect(visitor.visits.length).toBeGreaterThanOrEqual(15)
    expect(visitor.visits.length).toBeLessThanOrEqual(21)
  })

  test('at once when something is different in the cluster', async () => {
    const { clock, visitor, watch } = watched()
    await clock.pass(60_000)
    visitor.visits.length = 0
    watch.hurry()
    await clock.pass(1)
    expect(visitor.visits).toHaveLength(3)
  })

  test('as in quiet while nothing is left to look closer with', async () => {
    const balancer: ConfiguredPath = { ...dns, kind: 'load-balancer' }
    const { clock, visitor, watch, budget } = watched(balancer)
    await clock.pass(60_000)
    budget.some = false
    visitor.visits.length = 0
    for (let times = 0; times < 20; times += 1) {
      watch.hurry()
      await clock.pass(500)
    }
    budget.some = true
    const poor = visitor.visits.length
    visitor.visits.length = 0
    for (let times = 0; times < 20; times += 1) {
      watch.hurry()
      await clock.pass(500)
    }
    expect(visitor.visits).toHaveLength(3 * poor)
  })

  test('nowhere that the console may not go', async () => {
    const { clock, visitor, watch } = watched(dns, (address) => address !== '10.20.0.13')
    await clock.pass(10_000)
    expect(visitor.visits).not.toContain('10.20.0.13')
    expect(watch.evidence.forbidden).toEqual(['10.20.0.13'])
  })

  test('no more once it is stopped', async () => {
    const { clock, visitor, watch } = watched()
    await clock.pass(2_000)
    watch.stop()
    visitor.visits.length = 0
    await clock.pass(60_000)
    expect(visitor.visits).toEqual([])
  })
})

describe('a server that says nothing', () => {
  test('is told within two visits, and at no moment after that taken for well', async () => {
    const { clock, visitor, watch } = watched()
    await clock.pass(60_000)
    visitor.silent.add('10.20.0.13')
    watch.hurry()
    await clock.pass(1_100)
    for (let times = 0; times < 100; times += 1) {
      expect(watch.judge().verdict).toMatchObject({ level: 'bad', word: 'At risk' })
      await clock.pass(100)
    }
  })

  test('keeps its clients waiting, and their answer counts from when they began', async () => {
    const { clock, visitor, watch, clients } = watched()
    await clock.pass(60_000)
    visitor.silent.add('10.20.0.13')
    watch.hurry()
    const begun = clock.now()
    await clock.pass(8_000)
    expect(watch.longestWaitSince(begun)).toBe(8_000)
    visitor.silent.clear()
    visitor.end()
    await clock.pass(10)
    expect(Math.max(...clients.map(({ waitedMs }) => waitedMs))).toBe(8_000)
  })

  test('is not waited for by more than a few clients at a time, and nobody is said to have given up early', async () => {
    const { clock, visitor, clients } = watched()
    await clock.pass(60_000)
    visitor.silent = new Set(visitor.addresses)
    await clock.pass(200_000)
    const unanswered = clients.filter(({ answered }) => !answered)
    expect(unanswered.length).toBeGreaterThan(0)
    for (const { waitedMs } of unanswered) expect(waitedMs).toBeGreaterThanOrEqual(35_000)
  })
})

test('the longest TTL that was seen is what was set, since a resolver tells what is left of it', async () => {
  const { clock, visitor, watch } = watched()
  visitor.ttlSeconds = 300
  await clock.pass(6_000)
  visitor.ttlSeconds = 12
  await clock.pass(6_000)
  expect(watch.evidence.records?.map(({ ttlSeconds }) => ttlSeconds)).toEqual([300, 300, 300])
})

test('a change is told once, and what stays the same is not', async () => {
  const { clock, visitor, seen } = watched()
  await clock.pass(60_000)
  const before = seen.changes
  await clock.pass(60_000)
  expect(seen.changes).toBe(before)
  visitor.addresses = visitor.addresses.slice(0, 2)
  await clock.pass(10_000)
  expect(seen.changes).toBe(before + 1)
})
