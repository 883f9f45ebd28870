import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import type { FeedFact } from '../events/event-feed.ts'
import { systemRandom } from '../lib/random.ts'
import { Subscribable } from '../lib/subscribable.ts'
import type { AuditEntry } from '../audit/record.ts'
import { auditEntry } from '../audit/record.ts'
import type { Database } from '../database/database.ts'
import { openDatabase } from '../database/database.ts'
import type { ClusterIngestOptions } from './cluster-ingest.ts'
import { ClusterIngest } from './cluster-ingest.ts'
import { sqliteIdentityUseStore } from './identity-use-store.sqlite.ts'
import type { LogHandlers } from './member-log.ts'
import { sqliteStreamStore } from './stream-store.sqlite.ts'

const own = 'c'.repeat(64)
const client = 'a'.repeat(64)

let database: Database
beforeEach(async () => {
  database = await openDatabase(':memory:', 'malleus')
})
afterEach(() => database.close())

class FakeHistory {
  readonly entries: (AuditEntry & { at: number | undefined })[] = []
  waiting = 0
  isAvailable = true

  record(entry: AuditEntry, at?: number): void {
    this.entries.push({ ...entry, at })
  }

  outcome(entry: AuditEntry, at?: number): void {
    this.entries.push({ ...entry, at })
  }

  get told(): string[] {
    return this.entries.map(({ action, actor, src, req, up, object, decision, during }) => {
      if (during !== undefined) return `${action} ${object ?? ''} ${during.from} ${during.to}: ${decision.rule}`
      return `${action} ${actor?.name.slice(0, 3) ?? '?'} ${req?.method} ${req?.path} ${src.ip} on ${up?.via} × ${req?.count} (${decision.rule})`
    })
  }
}

/** Streams that a test speaks on. */
class FakeMembers {
  readonly handlers = new Map<string, LogHandlers>()
  readonly closers = new Map<string, (reason: string) => void>()
  readonly down = new Set<string>()
  readonly silent = new Set<string>()
  opened = 0
  readonly #clock: ManualClock
  #lines = 0

  constructor(clock: ManualClock) {
    this.#clock = clock
  }

  readonly open: ClusterIngestOptions['openLog'] = async (member, handlers) => {
    this.opened += 1
    if (this.down.has(member)) throw new Error(`${member} does not answer`)
    this.handlers.set(member, handlers)
    this.#keepPinging(member, handlers)
    const { promise, resolve } = Promise.withResolvers<{ reason: string }>()
    const close = (reason: string): void => {
      this.handlers.delete(member)
      resolve({ reason })
    }
    this.closers.set(member, close)
    return { close: () => close('it was closed here'), closed: promise }
  }

  #keepPinging(member: string, handlers: LogHandlers): void {
    this.#clock.after(10_000, () => {
      if (this.handlers.get(member) !== handlers) return
      if (!this.silent.has(member)) handlers.onPing()
      this.#keepPinging(member, handlers)
    })
  }

  say(member: string, message: string, context: Record<string, string>): void {
    this.#lines += 1
    const timestamp = `2026-01-01T00:00:00.${String(this.#lines).padStart(9, '0')}Z`
    const event = { type: 'logging', timestamp, location: member, metadata: { level: 'debug', message, context } }
    this.handlers.get(member)?.onEvent(event)
  }

  asked(member: string, method: string, url: string, who: Record<string, string> = {}): void {
    this.say(member, 'Handling API request', {
      ip: '10.0.0.7:4711',
      method,
      url,
      protocol: 'tls',
      username: client,
      ...who,
    })
  }

  /** As every deep probe does. */
  probe(member: string): void {
    this.asked(member, 'GET', `/1.0/cluster/members/${member}`, { username: own, ip: '10.0.0.2:1' })
  }
}

const start = Date.UTC(2026, 0, 1)

async function world(options: Omit<Partial<ClusterIngestOptions>, 'clock'> & { readonly clock?: ManualClock } = {}) {
  const { clock = new ManualClock(start) } = options
  const members = new FakeMembers(clock)
  const history = new FakeHistory()
  const ingest = new ClusterIngest({
    cluster: 'prod-eu',
    setting: 'auto',
    identity: () => ({ fingerprint: own, unrestricted: true }),
    members: () => ['server1', 'server2'],
    answers: (member) => !members.down.has(member),
    openLog: members.open,
    feed: null,
    history,
    streams: sqliteStreamStore(database),
    uses: sqliteIdentityUseStore(database),
    // Retries come exactly when they are due.
    random: { ...systemRandom, fraction: () => 0.5 },
    logger: pino({ level: 'silent' }),
    ...options,
    clock,
  })
  await ingest.start()
  await clock.pass(0)
  return { clock, members, history, ingest }
}

describe('what flows into the history', () => {
  test('has what others asked of a member, with who, from where and where', async () => {
    const { clock, members, history } = await world()
    members.probe('server1')
    members.asked('server1', 'GET', '/1.0/instances?recursion=2')
    members.asked('server2', 'POST', '/1.0/profiles', { protocol: 'unix', username: 'root', ip: '@' })
    members.say('server2', 'Rejecting request from untrusted client', { ip: '10.0.0.9:5' })
    await clock.pass(50)
    expect(history.told).toEqual([
      'request.read aaa GET /1.0/instances 10.0.0.7 on server1 × 1 (handled)',
      'request.change roo POST /1.0/profiles null on server2 × 1 (handled)',
      'request.refused ?   10.0.0.9 on server2 × 1 (refused)',
    ])
    expect(history.entries.map(({ decision }) => decision.allow)).toEqual([true, true, false])
  })

  test('does not have what this console asked for itself, and marks what it asked for people', async () => {
    const { clock, members, history } = await world()
    // Before it is known where the console asks from, nothing is told.
    members.say('server1', 'Allowing untrusted GET', { ip: '10.0.0.2:9', url: '/1.0' })
    members.probe('server1')
    members.asked('server1', 'GET', '/1.0/instances', { protocol: 'oidc', username: 'jo', ip: '10.0.0.2:8' })
    members.asked('server1', 'PUT', '/1.0/instances/c1/state', { protocol: 'oidc', username: 'jo', ip: '10.0.0.2:8' })
    members.asked('server1', 'POST', '/1.0/profiles', { username: own, ip: '10.0.0.2:8' })
    members.asked('server1', 'GET', '/1.0/instances', { protocol: 'oidc', username: 'jo', ip: '10.0.0.3:8' })
    members.say('server1', 'Allowing untrusted GET', { ip: '10.0.0.3:9', url: '/1.0' })
    await clock.pass(50)
    expect(history.told).toEqual([
      'request.change jo PUT /1.0/instances/c1/state 10.0.0.2 on server1 × 1 (through this console)',
      'request.change ccc POST /1.0/profiles 10.0.0.2 on server1 × 1 (through this console)',
      'request.read jo GET /1.0/instances 10.0.0.3 on server1 × 1 (handled)',
      'request.open ? GET /1.0 10.0.0.3 on server1 × 1 (open)',
    ])
  })

  test('tells a line once that a member says twice', async () => {
    const { clock, members, history } = await world()
    members.probe('server1')
    const event = {
      type: 'logging',
      timestamp: '2026-01-01T00:00:09.5Z',
      location: 'server1',
      metadata: { level: 'warning', message: 'Rejecting request from untrusted client', context: { ip: '10.0.0.9:5' } },
    }
    members.handlers.get('server1')?.onEvent(event)
    members.handlers.get('server1')?.onEvent(event)
    await clock.pass(60_000)
    expect(history.told.filter((told) => told.startsWith('request.refused'))).toHaveLength(1)
  })

  test('knows who last used what, and how much that says', async () => {
    const { clock, members, ingest } = await world()
    members.asked('server2', 'GET', '/1.0')
    expect(ingest.lastUse('tls', client)).toMatchObject({ address: '10.0.0.7', member: 'server2' })
    expect(ingest.lastUse('tls', 'b'.repeat(64))).toBeNull()
    expect(ingest.useCollection).toMatchObject({ off: null, since: start, gaps: [], deaf: [] })
    members.down.add('server1')
    members.closers.get('server1')?.('the connection was lost')
    await clock.pass(30_000)
    expect(ingest.useCollection.deaf).toMatchObject([
      { member: 'server1', reason: 'the log of server1 ended: the connection was lost' },
    ])
  })
})

describe('a gap', () => {
  test('is a record with its beginning, end, server and reason', async () => {
    const { clock, members, history } = await world()
    await clock.pass(4_000)
    members.probe('server1')
    members.down.add('server1')
    members.closers.get('server1')?.('the connection was lost')
    await clock.pass(56_000)
    members.down.delete('server1')
    await clock.pass(2_000)
    expect(history.told).toEqual([
      'requests.gap server1 2026-01-01T00:00:04.000Z 2026-01-01T00:01:00.200Z: the log of server1 ended: the connection was lost',
    ])
  })

  test('lasts from the last that a console heard to the start of the next one', async () => {
    const first = await world()
    await first.clock.pass(5_000)
    first.members.probe('server1')
    await first.ingest.stop()
    const later = new ManualClock(Date.UTC(2026, 0, 1, 0, 10))
    const { history } = await world({ clock: later })
    await later.pass(1_000)
    expect(history.told).toContain(
      'requests.gap server1 2026-01-01T00:00:05.000Z 2026-01-01T00:10:00.000Z: the console was not running',
    )
  })

  test('of the events lasts from the last run until members are listened to by their names', async () => {
    const listening = new Subscribable<void>()
    const facts = new Subscribable<FeedFact>()
    const heard: string[] = []
    const feed = {
      subscribe: (listener: (fact: FeedFact) => void) => facts.subscribe(listener),
      listening,
      members: heard,
      deafSince: null,
    }
    const first = await world({ feed })
    heard.push('10.0.0.1:8443')
    listening.publish()
    heard.splice(0, 1, 'server1')
    facts.publish({ kind: 'gap', from: start, to: start + 1, reason: 'it was lost' })
    listening.publish()
    await first.clock.pass(10_000)
    expect(first.history.told).toEqual([])
    facts.publish({ kind: 'gap', from: start + 5_000, to: start + 6_000, reason: '10.0.0.1:8443 was lost' })
    await first.clock.pass(100)
    expect(first.history.told).toEqual([
      'events.gap  2026-01-01T00:00:05.000Z 2026-01-01T00:00:06.000Z: a server was lost',
    ])
    await first.ingest.stop()
    const later = new ManualClock(start + 60_000)
    const { history } = await world({ feed, clock: later })
    await later.pass(100)
    expect(history.told[0]).toMatch(/^events.gap .*00:01:00.000Z: the console was not running$/)
  })

  test('begins when a member falls silent', async () => {
    const { clock, members, history } = await world()
    members.silent.add('server1')
    await clock.pass(26_000)
    expect(history.told).toEqual([
      'requests.gap server1 2026-01-01T00:00:00.000Z 2026-01-01T00:00:25.200Z: server1 fell silent',
    ])
  })
})

const off: readonly (readonly [string, Omit<Partial<ClusterIngestOptions>, 'clock'>, string])[] = [
  [
    'with more than twenty members',
    { members: () => Array.from({ length: 21 }, (_, n) => `server${n}`) },
    '21 servers',
  ],
  ['without an identity', { identity: () => null }, 'no identity'],
  [
    'with an identity that may not be unrestricted',
    { identity: () => ({ fingerprint: own, unrestricted: false }) },
    'unrestricted',
  ],
  ['when the configuration says so', { setting: 'off' }, 'requestLog: off'],
]

describe('how much is read', () => {
  test('a member that says more than two hundred lines in a second is left alone for ten minutes, and says so', async () => {
    const { clock, members, history, ingest } = await world()
    for (let second = 0; second < 10; second += 1) {
      for (let n = 0; n < 250; n += 1) members.say('server1', 'whatever it does', {})
      await clock.pass(1_000)
    }
    expect(ingest.requestLog.members).toMatchObject([
      { member: 'server1', isReading: false, linesPerSecond: 250 },
      { member: 'server2', isReading: true },
    ])
    expect(ingest.requestLog.members[0]?.failure).toContain('250 lines per second')
    await clock.pass(10 * 60_000)
    expect(ingest.requestLog.members[0]?.isReading).toBe(true)
    await clock.pass(100)
    expect(history.told.at(-1)).toContain('it wrote 250 lines per second, more than 200')
  })

  test('with requestLog: on it is read all the same', async () => {
    const { clock, members, ingest } = await world({ setting: 'on' })
    for (let n = 0; n < 5_000; n += 1) members.say('server1', 'whatever it does', {})
    await clock.pass(10_000)
    expect(ingest.requestLog.members[0]).toMatchObject({ isReading: true, linesPerSecond: 500 })
  })

  test.each(off)('%s it is off, and says why', async (_, options, why) => {
    const { members, ingest } = await world(options)
    expect(members.opened).toBe(0)
    expect(ingest.requestLog.off).toContain(why)
    expect(ingest.useCollection.off).toContain(why)
  })

  test('what the history cannot take in time is a gap of its own, and nothing is waited for', async () => {
    const { clock, members, history } = await world({ setting: 'on' })
    members.probe('server1')
    history.isAvailable = false
    for (let n = 0; n < 6_000; n += 1) members.asked('server1', 'POST', '/1.0/profiles')
    await clock.pass(5_000)
    expect(history.entries).toEqual([])
    history.isAvailable = true
    await clock.pass(6_000)
    expect(history.told.filter((told) => told.startsWith('request.change'))).toHaveLength(5_000)
    expect(history.entries[0]?.at).toBe(start)
    expect(history.told.at(-1)).toMatch(/^events.gap .*: 1000 records could not be kept/)
  })

  test('next to nothing is handed over while what people do waits', async () => {
    const { clock, history, ingest } = await world()
    history.waiting = 300
    ingest.record(auditEntry({ action: 'instance-updated', source: 'incus' }))
    await clock.pass(1_000)
    expect(history.entries).toEqual([])
    history.waiting = 0
    await clock.pass(50)
    expect(history.entries).toHaveLength(1)
  })
})
