import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import type { KeptStream, StreamGap, StreamStore } from './stream-store.ts'
import { StreamTimes } from './stream-times.ts'

class MemoryStreamStore implements StreamStore {
  readonly rows = new Map<string, KeptStream>()
  readonly kept: StreamGap[] = []
  isBroken = false

  async streams() {
    this.#mayFail()
    return [...this.rows.values()]
  }

  async writeStreams(_: string, streams: readonly KeptStream[]) {
    this.#mayFail()
    for (const stream of streams) this.rows.set(stream.stream, stream)
  }

  async gaps() {
    return this.kept
  }

  async writeGap(_: string, gap: StreamGap) {
    this.kept.push(gap)
  }

  async prune() {}

  #mayFail() {
    if (this.isBroken) throw new Error('disk full')
  }
}

const start = Date.UTC(2026, 0, 1)

async function world(store = new MemoryStreamStore(), clock = new ManualClock(start)) {
  const times = new StreamTimes({ cluster: 'prod-eu', store, clock, logger: pino({ level: 'silent' }) })
  const gaps: StreamGap[] = []
  times.subscribe((gap) => gaps.push(gap))
  await times.start()
  return { times, gaps, store, clock }
}

describe('when a stream was heard', () => {
  test('what was never heard before has no gap', async () => {
    const { times, gaps } = await world()
    times.opened('requests server1')
    expect(gaps).toEqual([])
    expect(times.since('requests server1')).toBe(start)
  })

  test('a gap begins with the last sign of life, not when it was noticed, and has the first reason', async () => {
    const { times, gaps, clock } = await world()
    times.opened('requests server1')
    await clock.pass(7_000)
    times.heard('requests server1')
    await clock.pass(25_000)
    times.closed('requests server1', 'server1 fell silent')
    times.closed('requests server1', 'it was closed here')
    expect(times.deaf).toEqual([{ stream: 'requests server1', from: start + 7_000, reason: 'server1 fell silent' }])
    await clock.pass(30_000)
    times.opened('requests server1')
    const gap = { stream: 'requests server1', from: start + 7_000, to: start + 62_000, reason: 'server1 fell silent' }
    expect(gaps).toEqual([gap])
    expect(times.deaf).toEqual([])
    expect(times.gaps).toEqual([gap])
  })

  test('a console that was killed missed what came since it last wrote down that it listened', async () => {
    const first = await world()
    first.times.opened('events')
    await first.clock.pass(15_000)
    first.times.heard('events')
    await first.clock.pass(6_000)
    // It is killed here, and started again a minute later.
    await first.clock.pass(60_000 - 6_000)
    const killedAt = new Map([['events', { stream: 'events', began: start, seen: start + 15_000 }]])
    const store = new MemoryStreamStore()
    for (const [name, row] of killedAt) store.rows.set(name, row)
    const { times, gaps } = await world(store, first.clock)
    times.opened('events')
    expect(gaps).toEqual([
      { stream: 'events', from: start + 15_000, to: start + 75_000, reason: 'the console was not running' },
    ])
    expect(times.since('events')).toBe(start)
  })

  test('it is written down every ten seconds how far each was heard', async () => {
    const { times, store, clock } = await world()
    times.opened('events')
    await clock.pass(9_000)
    times.heard('events')
    await clock.pass(1_000)
    expect(store.rows.get('events')?.seen).toBe(start + 9_000)
  })

  test('the gap of a server that left the cluster ends then', async () => {
    const { times, gaps, clock } = await world()
    times.opened('requests server1')
    times.closed('requests server1', 'server1 did not answer')
    await clock.pass(5_000)
    times.gone('requests server1', 'server1 left the cluster')
    expect(gaps).toMatchObject([{ from: start, to: start + 5_000 }])
    expect(times.deaf).toEqual([])
  })

  test('a database that cannot be read or written changes nothing but what is known later', async () => {
    const store = new MemoryStreamStore()
    store.isBroken = true
    const { times, gaps, clock } = await world(store)
    times.opened('events')
    times.closed('events', 'it was lost')
    await clock.pass(20_000)
    times.opened('events')
    expect(gaps).toHaveLength(1)
  })
})
