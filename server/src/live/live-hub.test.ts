import type { LiveEvent } from '@malleus/shared/api/live.ts'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { systemRandom } from '../lib/random.ts'
import type { LiveStream } from './live-channel.ts'
import type { LiveListener } from './live-hub.ts'
import { LiveHub } from './live-hub.ts'

/** A browser tab that remembers what it was told. */
class Tab implements LiveStream {
  readonly messages: { id?: string; event: string; data: unknown }[] = []
  readonly #closed = Promise.withResolvers<void>()
  readonly closed = this.#closed.promise

  send(message: { id?: string; event: string; data: unknown }): void {
    this.messages.push(message)
  }

  close(): void {
    this.#closed.resolve()
  }

  /** Kinds of events, without those that come every second. */
  get heard(): string[] {
    return this.messages
      .map(({ event }) => event)
      .filter((event) => event !== 'heartbeat' && event !== 'answers-measured')
  }

  get lastId(): string {
    return this.messages.findLast(({ id }) => id !== undefined)?.id ?? ''
  }
}

function setUp() {
  const clock = new ManualClock()
  const hub = new LiveHub({
    answers: () => ({ server1: { answerMs: 4, answeredAt: null } }),
    clock,
    random: systemRandom,
  })
  let watches = 0
  const listener = (fields: Partial<LiveListener> = {}): LiveListener => ({
    key: 'mika',
    clusters: ['prod'],
    seesAudit: () => false,
    session: 'one',
    recheck: async () => 'stands',
    watch: () => {
      watches += 1
      return { stop: () => (watches -= 1) }
    },
    ...fields,
  })
  return { clock, hub, listener, watches: () => watches }
}

const changed: LiveEvent = { kind: 'members-changed', cluster: 'prod' }

describe('the live hub', () => {
  it('begins a new stream with resync, and then tells what changes', () => {
    const { hub, listener } = setUp()
    const tab = new Tab()
    hub.open(listener(), tab, null)
    hub.publish(changed)
    expect(tab.heard).toEqual(['resync', 'members-changed'])
  })

  it('continues a broken stream with what was missed, exactly once', async () => {
    const { clock, hub, listener } = setUp()
    const tab = new Tab()
    hub.open(listener(), tab, null)
    hub.publish(changed)
    tab.close()
    await clock.pass(60_000)
    hub.publish({ kind: 'certificate-changed', cluster: 'prod' })
    const again = new Tab()
    hub.open(listener(), again, tab.lastId)
    expect(again.heard).toEqual(['certificate-changed'])
  })

  it('begins a stream where it stood when the page began to read, with what happened since', () => {
    const { hub, listener } = setUp()
    const position = hub.position(listener())
    hub.publish(changed)
    const tab = new Tab()
    hub.open(listener(), tab, position)
    expect(tab.heard).toEqual(['members-changed'])
  })

  it('keeps what happens for a page that asked where it stands for five minutes, and then listens no longer', async () => {
    const { clock, hub, listener, watches } = setUp()
    const position = hub.position(listener())
    await clock.pass(4 * 60_000)
    expect(watches()).toBe(1)
    await clock.pass(60_000)
    expect(watches()).toBe(0)
    const late = new Tab()
    hub.open(listener(), late, position)
    expect(late.heard).toEqual(['resync'])
  })

  it('says resync when the window has passed', async () => {
    const { clock, hub, listener } = setUp()
    const tab = new Tab()
    hub.open(listener(), tab, null)
    tab.close()
    await clock.pass(6 * 60_000)
    const again = new Tab()
    hub.open(listener(), again, tab.lastId)
    expect(again.heard).toEqual(['resync'])
  })

  it('tells nobody of a cluster they may not see', () => {
    const { hub, listener } = setUp()
    const tab = new Tab()
    hub.open(listener({ clusters: ['other'] }), tab, null)
    hub.publish(changed)
    expect(tab.heard).toEqual(['resync'])
  })

  it('tells only those who may read the history that it grew', () => {
    const { hub, listener } = setUp()
    const [viewer, auditor] = [new Tab(), new Tab()]
    hub.open(listener(), viewer, null)
    hub.open(listener({ key: 'audit', seesAudit: () => true }), auditor, null)
    hub.publish({ kind: 'audit-appended', cluster: 'prod', action: 'member.evacuate' })
    expect([viewer.heard, auditor.heard]).toEqual([['resync'], ['resync', 'audit-appended']])
  })

  it('ends the stream of a session that has ended within five seconds', async () => {
    const { clock, hub, listener } = setUp()
    let alive = true
    const tab = new Tab()
    hub.open(listener({ recheck: async () => (alive ? 'stands' : 'ended') }), tab, null)
    await clock.pass(5_000)
    alive = false
    await clock.pass(5_000)
    expect(tab.heard).toEqual(['resync', 'session-ended'])
    expect(hub.streams).toBe(0)
  })

  it('ends the streams of a session that ends in this process at once, and no others', () => {
    const { hub, listener } = setUp()
    const [ended, other] = [new Tab(), new Tab()]
    hub.open(listener(), ended, null)
    hub.open(listener({ session: 'two' }), other, null)
    hub.endSession('one')
    expect([ended.heard, other.heard]).toEqual([['resync', 'session-ended'], ['resync']])
    hub.publish(changed)
    expect(other.heard).toEqual(['resync', 'members-changed'])
  })

  it('has the streams of a replaced session connect again once the browser has the new cookie', async () => {
    const { clock, hub, listener } = setUp()
    const tab = new Tab()
    hub.open(listener(), tab, null)
    hub.replaceSession('one')
    expect(tab.heard).toEqual(['resync'])
    await clock.pass(1_000)
    expect(tab.heard).toEqual(['resync', 'goaway'])
    expect(hub.streams).toBe(0)
  })

  it('has a stream whose rights changed connect again', async () => {
    const { clock, hub, listener } = setUp()
    const tab = new Tab()
    hub.open(listener({ recheck: async () => 'changed' }), tab, null)
    await clock.pass(5_000)
    expect(tab.heard).toEqual(['resync', 'goaway'])
    expect(hub.streams).toBe(0)
  })

  it('keeps a stream for a minute while the sessions cannot be read, and no longer', async () => {
    const { clock, hub, listener } = setUp()
    const tab = new Tab()
    hub.open(listener({ recheck: () => Promise.reject(new Error('database')) }), tab, null)
    await clock.pass(55_000)
    expect(hub.streams).toBe(1)
    await clock.pass(10_000)
    expect(tab.heard).toEqual(['resync', 'goaway'])
    expect(hub.streams).toBe(0)
  })

  it('sends answer times every second and a heartbeat every two, without ids', async () => {
    const { clock, hub, listener } = setUp()
    const tab = new Tab()
    hub.open(listener(), tab, null)
    await clock.pass(4_000)
    const kinds = tab.messages.slice(1).map(({ id, event }) => [id, event])
    expect(kinds.filter(([, event]) => event === 'answers-measured')).toHaveLength(4)
    expect(kinds.filter(([, event]) => event === 'heartbeat')).toHaveLength(2)
    expect(kinds.every(([id]) => id === undefined)).toBe(true)
  })

  it('listens to Incus once for all tabs of a person, and stops five minutes after the last', async () => {
    const { clock, hub, listener, watches } = setUp()
    const [one, two] = [new Tab(), new Tab()]
    hub.open(listener(), one, null)
    hub.open(listener(), two, null)
    expect(watches()).toBe(1)
    one.close()
    await clock.pass(10 * 60_000)
    expect(watches()).toBe(1)
    two.close()
    await clock.pass(5 * 60_000)
    expect(watches()).toBe(0)
  })

  it('lets the oldest stream of a person go when they open too many', () => {
    const { hub, listener } = setUp()
    const tabs = Array.from({ length: 100 }, () => new Tab())
    for (const tab of tabs) hub.open(listener(), tab, null)
    expect(hub.streams).toBe(40)
    hub.publish(changed)
    expect(tabs.filter(({ heard }) => heard.includes('members-changed'))).toEqual(tabs.slice(-40))
  })

  it('asks browsers to connect again when it stops', () => {
    const { hub, listener } = setUp()
    const [tab, late] = [new Tab(), new Tab()]
    hub.open(listener(), tab, null)
    hub.drain()
    hub.open(listener(), late, null)
    expect(tab.heard).toEqual(['resync', 'goaway'])
    expect(late.heard).toEqual(['goaway'])
    expect(hub.position(listener())).toBeNull()
  })
})
