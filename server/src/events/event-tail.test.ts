import { EventEntry } from '@malleus/shared/api/events.ts'
import { IncusEvent } from '@malleus/shared/incus/event.ts'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { Subscribable } from '../lib/subscribable.ts'
import type { FeedFact } from './event-feed.ts'
import { EventTail } from './event-tail.ts'

class Feed extends Subscribable<FeedFact> {
  readonly listening = new Subscribable<void>()
  members: string[] = ['server1', 'server2']
  deafSince: number | null = null
}

function setUp() {
  const clock = new ManualClock()
  const feed = new Feed()
  const tail = new EventTail({
    feed,
    isVisible: (project) => project !== 'other',
    starter: (operation) => (operation === 'ours' ? { name: 'Mika' } : null),
    mask: () => 'masked',
    epoch: 'e',
    clock,
  })
  let told = 0
  feed.listening.publish()
  tail.subscribe(() => (told += 1))
  const say = (fields: object = {}, metadata: object = {}) =>
    feed.publish({
      kind: 'event',
      at: clock.now(),
      event: IncusEvent.parse({
        type: 'lifecycle',
        timestamp: '2026-01-01T00:00:00.123456789Z',
        location: 'server1',
        project: 'web',
        ...fields,
        metadata: { action: 'instance-started', source: '/1.0/instances/c1?project=web', ...metadata },
      }),
    })
  const work = (id: string, code: number) =>
    feed.publish({
      kind: 'event',
      at: clock.now(),
      event: IncusEvent.parse({
        type: 'operation',
        timestamp: '2026-01-01T00:00:01Z',
        location: 'server2',
        metadata: {
          id,
          description: 'Creating instance',
          status_code: code,
          created_at: '2026-01-01T00:00:00Z',
          updated_at: '2026-01-01T00:00:01Z',
        },
      }),
    })
  return { clock, feed, tail, say, work, told: () => told }
}

const seqs = (entries: readonly EventEntry[]) => entries.map(({ seq }) => seq)

describe('the tail of events', () => {
  it('tells what was done, where, by whom and in which project', () => {
    const { tail, say } = setUp()
    say({}, { requestor: { username: 'mika@example.net', protocol: 'oidc', address: '10.0.0.7' } })
    const { entries } = tail.list(undefined, true)
    expect(entries.map((entry) => EventEntry.parse(entry))).toMatchObject([
      {
        kind: 'event',
        seq: 1,
        type: 'lifecycle',
        at: '2026-01-01T00:00:00.123Z',
        location: 'server1',
        project: 'web',
        action: 'instance-started',
        source: '/1.0/instances/c1?project=web',
        who: { name: 'mika@example.net', protocol: 'oidc' },
        raw: { metadata: { requestor: { address: '10.0.0.7' } } },
      },
    ])
  })

  it('tells who did it, and from where, only to those who may know', () => {
    const { tail, say } = setUp()
    say({}, { requestor: { username: 'mika@example.net', protocol: 'oidc', address: '10.0.0.7' } })
    const { entries } = tail.list(undefined, false)
    expect(entries).toMatchObject([{ who: null, raw: { metadata: { action: 'instance-started' } } }])
    expect(JSON.stringify(entries)).not.toMatch(/mika|10\.0\.0\.7|requestor/)
  })

  it.each([
    [103, 'operation-running'],
    [105, 'operation-pending'],
    [200, 'operation-succeeded'],
    [400, 'operation-failed'],
    [401, 'operation-cancelled'],
    [999, 'operation-changed'],
  ])('calls background work with the code %i %s', (code, action) => {
    const { tail, work } = setUp()
    work('theirs', code)
    work('ours', code)
    expect(tail.list(undefined, true).entries).toMatchObject([
      { type: 'operation', action, description: 'Creating instance', source: '/1.0/operations/theirs', who: null },
      { who: { name: 'Mika', protocol: 'console' }, project: null, location: 'server2' },
    ])
  })

  it('leaves out what happens in projects that are not theirs', () => {
    const { tail, say, told } = setUp()
    say({ project: 'other' })
    expect([tail.list(undefined, true).entries, told()]).toEqual([[], 0])
    say({ project: '' })
    expect(tail.list(undefined, true).entries).toHaveLength(1)
  })

  it('goes on after a position, with gaps in their places', () => {
    const { tail, feed, say } = setUp()
    say()
    const { position } = tail.list(undefined, true)
    feed.publish({ kind: 'gap', from: 1_000, to: 13_000, reason: 'server1 fell silent' })
    say()
    const next = tail.list(position, true)
    expect([next.continues, seqs(next.entries), next.position]).toEqual([true, [2, 3], 'e-3'])
    expect(next.entries[0]).toEqual({
      kind: 'gap',
      seq: 2,
      from: '1970-01-01T00:00:01.000Z',
      to: '1970-01-01T00:00:13.000Z',
      reason: 'server1 fell silent',
    })
    expect(tail.list(next.position, true)).toMatchObject({ continues: true, entries: [] })
  })

  it.each(['other-1', 'e-99', 'e-', 'nonsense', ''])('tells everything to who asks after %j', (after) => {
    const { tail, say } = setUp()
    say()
    say()
    const { continues, entries } = tail.list(after, true)
    expect([continues, seqs(entries)]).toEqual([false, [1, 2]])
  })

  it('begins when the first member is listened to: what was before is no gap', () => {
    const clock = new ManualClock()
    const feed = new Feed()
    feed.members = []
    const options = { isVisible: () => true, starter: () => null, mask: () => '', epoch: 'e', clock }
    const tail = new EventTail({ feed, ...options })
    feed.publish({ kind: 'gap', from: 1_000, to: 4_000, reason: 'the console was not connected' })
    feed.members = ['server1']
    feed.listening.publish()
    expect(tail.list(undefined, true)).toMatchObject({ since: '1970-01-01T00:00:04.000Z', entries: [] })
    feed.publish({ kind: 'gap', from: 9_000, to: 12_000, reason: 'server1 fell silent' })
    expect(tail.list(undefined, true).entries).toHaveLength(1)
  })

  it('keeps a thousand, and says where it cannot go on', () => {
    const { tail, say } = setUp()
    for (let at = 0; at < 1_500; at += 1) say()
    const all = tail.list(undefined, true).entries
    expect([all.length, all[0]?.seq]).toEqual([1_000, 501])
    expect([tail.list('e-499', true).continues, tail.list('e-500', true).continues]).toEqual([false, true])
  })

  it('keeps two MiB and no more', () => {
    const { tail, say } = setUp()
    const context = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`k${at}`, 'v'.repeat(1_000)]))
    for (let at = 0; at < 200; at += 1) say({}, { context })
    expect(JSON.stringify(tail.list(undefined, true).entries).length).toBeLessThan(2_200_000)
    expect(tail.list(undefined, true).entries.length).toBeGreaterThan(30)
  })

  it('tells at once that there is something, and a storm four times a second', async () => {
    const { clock, say, told } = setUp()
    await clock.pass(1_000)
    say()
    expect(told()).toBe(1)
    for (let at = 0; at < 100; at += 1) {
      say()
      await clock.pass(10)
    }
    expect(told()).toBeGreaterThanOrEqual(4)
    expect(told()).toBeLessThanOrEqual(6)
    await clock.pass(1_000)
    const after = told()
    await clock.pass(10_000)
    expect(told()).toBe(after)
  })

  it('says who is listened to, and since when nobody is', async () => {
    const { clock, tail, feed, told } = setUp()
    await clock.pass(1_000)
    expect(tail.list(undefined, true)).toMatchObject({ listening: ['server1', 'server2'], deafSince: null })
    feed.members = []
    feed.deafSince = 5_000
    feed.listening.publish()
    expect(told()).toBe(1)
    expect(tail.list(undefined, true)).toMatchObject({ listening: [], deafSince: '1970-01-01T00:00:05.000Z' })
  })

  it('hears nothing more once it is stopped', () => {
    const { tail, say, told } = setUp()
    tail.stop()
    say()
    expect([tail.list(undefined, true).entries, told()]).toEqual([[], 0])
  })
})
