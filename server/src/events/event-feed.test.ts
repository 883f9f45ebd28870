import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { silentLogger } from '../lib/logger.ts'
import { systemRandom } from '../lib/random.ts'
import type { EventHandlers, FeedFact } from './event-feed.ts'
import { EventFeed } from './event-feed.ts'

/** Members whose streams the test holds in its hand. */
class Members {
  readonly clock = new ManualClock()
  readonly facts: FeedFact[] = []
  readonly refusing = new Set<string>()
  readonly feed: EventFeed
  readonly names: string[]
  readonly #streams = new Map<string, { handlers: EventHandlers; end: (reason: string) => void }>()

  constructor(...names: string[]) {
    this.names = names
    this.feed = new EventFeed({
      candidates: () => this.names.filter((name) => !this.refusing.has(name)),
      open: async (member, handlers) => {
        if (this.refusing.has(member)) throw new Error('refused')
        const { promise: closed, resolve } = Promise.withResolvers<{ reason: string }>()
        const end = (reason: string) => {
          this.#streams.delete(member)
          resolve({ reason })
        }
        this.#streams.set(member, { handlers, end })
        return { closed, close: () => end('closed') }
      },
      clock: this.clock,
      random: systemRandom,
      logger: silentLogger,
    })
    this.feed.subscribe((fact) => this.facts.push(fact))
    this.feed.start()
  }

  say(member: string, event: object): void {
    this.#streams.get(member)?.handlers.onEvent(event)
  }

  ping(...members: string[]): void {
    for (const member of members) this.#streams.get(member)?.handlers.onPing()
  }

  end(member: string): void {
    this.#streams.get(member)?.end('reset')
  }

  get listenedTo(): readonly string[] {
    return [...this.#streams.keys()].toSorted()
  }

  get told(): unknown[] {
    return this.facts.map((fact) => (fact.kind === 'event' ? fact.event.timestamp : fact.kind))
  }
}

function lifecycle(number: number, location = 'server1') {
  return {
    type: 'lifecycle',
    timestamp: `2026-01-01T00:00:00.${String(number).padStart(9, '0')}Z`,
    location,
    metadata: { action: 'profile-updated', source: `/1.0/profiles/p${number}` },
  }
}

describe('the event feed', () => {
  it('listens to two members and tells what both say once', async () => {
    const members = new Members('server1', 'server2', 'server3')
    await members.clock.pass(0)
    expect(members.listenedTo).toEqual(['server1', 'server2'])
    members.say('server1', lifecycle(1))
    members.say('server2', lifecycle(1))
    members.say('server2', lifecycle(2))
    members.say('server1', lifecycle(2))
    expect(members.told).toEqual([lifecycle(1).timestamp, lifecycle(2).timestamp])
  })

  it('tells an event once that one member repeats', async () => {
    const members = new Members('server1')
    await members.clock.pass(0)
    members.say('server1', lifecycle(1))
    members.say('server1', lifecycle(1))
    expect(members.told).toHaveLength(1)
  })

  it('turns to a third member when one ends, without a gap', async () => {
    const members = new Members('server1', 'server2', 'server3')
    await members.clock.pass(0)
    members.ping('server1', 'server2')
    members.refusing.add('server1')
    members.end('server1')
    await members.clock.pass(0)
    expect(members.listenedTo).toEqual(['server2', 'server3'])
    expect(members.told).toEqual([])
  })

  it('announces what may have happened before the first stream was open', async () => {
    const members = new Members()
    const startedAt = members.clock.now()
    await members.clock.pass(500)
    members.names.push('server1')
    await members.clock.pass(5_000)
    expect(members.listenedTo).toEqual(['server1'])
    expect(members.facts).toEqual([
      { kind: 'gap', from: startedAt, to: expect.any(Number), reason: 'the console was not connected' },
    ])
  })

  it('announces the time in which nobody listened', async () => {
    const members = new Members('server1', 'server2')
    await members.clock.pass(0)
    const lastHeard = members.clock.now()
    members.refusing.add('server1').add('server2')
    members.end('server1')
    members.end('server2')
    await members.clock.pass(3_000)
    members.refusing.clear()
    await members.clock.pass(10_000)
    expect(members.facts).toHaveLength(1)
    expect(members.facts[0]).toMatchObject({ kind: 'gap', from: lastHeard })
    expect(members.facts[0]).toHaveProperty('reason', 'the event stream of server2 ended: reset')
  })

  it('gives up a member that sends neither event nor ping for 25 s', async () => {
    const members = new Members('server1', 'server2', 'server3')
    await members.clock.pass(0)
    members.refusing.add('server1')
    for (let seconds = 0; seconds < 30; seconds += 10) {
      await members.clock.pass(10_000)
      members.ping('server2', 'server3')
    }
    expect(members.listenedTo).toEqual(['server2', 'server3'])
    expect(members.told).toEqual([])
  })

  it('gives up a member that does not bring what a newer stream brings, and says what may be missing', async () => {
    const members = new Members('server1', 'server2', 'server3')
    await members.clock.pass(0)
    members.say('server1', lifecycle(1))
    members.say('server2', lifecycle(1))
    await members.clock.pass(1_000)
    members.refusing.add('server1')
    members.end('server1')
    await members.clock.pass(0)
    members.say('server3', lifecycle(3))
    expect(members.told).toEqual([lifecycle(1).timestamp])
    members.refusing.add('server2')
    await members.clock.pass(1_000)
    expect(members.told).toEqual([lifecycle(1).timestamp, 'gap', lifecycle(3).timestamp])
    expect(members.facts[1]).toHaveProperty('reason', 'the event stream of server2 ended: closed')
  })

  it('leaves a member at once that is known not to answer', async () => {
    const members = new Members('server1', 'server2', 'server3')
    await members.clock.pass(0)
    members.refusing.add('server2')
    members.feed.abandon('server2', 'server2 is stuck')
    await members.clock.pass(0)
    expect(members.listenedTo).toEqual(['server1', 'server3'])
  })

  it.each([-3_600_000, 3_600_000])('is not deceived by a wall clock that is set by %i ms', async (byMs) => {
    const members = new Members('server1', 'server2')
    await members.clock.pass(0)
    members.say('server1', lifecycle(1))
    members.refusing.add('server1').add('server2')
    members.end('server1')
    members.clock.stepWall(byMs)
    members.say('server2', lifecycle(1))
    members.end('server2')
    await members.clock.pass(3_000)
    members.refusing.clear()
    await members.clock.pass(10_000)
    expect(members.told).toEqual([lifecycle(1).timestamp, 'gap'])
    const gap = members.facts[1]
    if (gap?.kind !== 'gap') throw new Error('a gap was expected')
    expect(gap.to - gap.from).toBeGreaterThanOrEqual(3_000)
    expect(gap.to).toBeLessThanOrEqual(members.clock.now())
    expect(gap.from).toBeGreaterThanOrEqual(members.clock.now() - 13_000)
  })

  it('ignores messages of other kinds', async () => {
    const members = new Members('server1')
    await members.clock.pass(0)
    members.say('server1', { type: 'logging', timestamp: 'x', metadata: { message: 'secret' } })
    members.say('server1', { type: 'lifecycle' })
    expect(members.told).toEqual([])
  })

  it('listens to nobody after it was stopped', async () => {
    const members = new Members('server1', 'server2')
    await members.clock.pass(0)
    members.feed.stop()
    await members.clock.pass(10_000)
    expect(members.listenedTo).toEqual([])
  })

  it('says who is listened to, and since when nobody is', async () => {
    const members = new Members('server1', 'server2')
    let told = 0
    members.feed.listening.subscribe(() => (told += 1))
    expect(members.feed.deafSince).toBe(members.clock.now())
    await members.clock.pass(0)
    expect([members.feed.members, members.feed.deafSince, told]).toEqual([['server1', 'server2'], null, 2])
    await members.clock.pass(5_000)
    members.ping('server1', 'server2')
    const pingedAt = members.clock.now()
    await members.clock.pass(3_000)
    members.refusing.add('server1').add('server2')
    members.end('server1')
    await members.clock.pass(0)
    expect([members.feed.members, members.feed.deafSince, told]).toEqual([['server2'], null, 3])
    members.end('server2')
    await members.clock.pass(0)
    expect([members.feed.members, members.feed.deafSince, told]).toEqual([[], pingedAt, 4])
  })
})
