import type { LiveEvent } from '@malleus/shared/api/live.ts'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { StreamEvent } from './event-stream.ts'
import { parseLiveEvent, type LivePhase } from './follow-live.ts'
import { LiveTab, type Stream, type TabChannel, type TabMeans } from './live-tab.ts'

/** The console, as far as a stream sees it: numbered events, and everything after a position. */
class Console {
  readonly told: StreamEvent[] = []
  readonly streams = new Set<Stream>()
  /** How many streams were ever opened. */
  opened = 0
  up = true

  say(name: string): void {
    const received = {
      id: `e-${this.told.length + 1}`,
      event: 'members-changed',
      data: JSON.stringify({ cluster: name }),
    }
    this.told.push(received)
    for (const stream of this.streams) stream.onEvent(received, parseLiveEvent(received))
  }

  get position(): string {
    return `e-${this.told.length}`
  }

  follow(stream: Stream, signal: AbortSignal): Promise<void> {
    this.opened += 1
    stream.onPhase('connecting')
    if (this.up) {
      stream.onPhase('live')
      const position = stream.position()
      const at = position === null ? undefined : Number(position.slice(2))
      if (at === undefined) {
        const resync = { id: this.position, event: 'resync', data: '{"reason":"new stream"}' }
        stream.onEvent(resync, parseLiveEvent(resync))
      }
      for (const received of this.told.slice(at ?? this.told.length)) stream.onEvent(received, parseLiveEvent(received))
      this.streams.add(stream)
    } else stream.onPhase('waiting')
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => {
        this.streams.delete(stream)
        resolve()
      })
    })
  }
}

/** A browser: locks as the standard has them, and channels that tell in order. https://w3c.github.io/web-locks */
class Browser {
  #holder: { readonly name: string; readonly steal: () => void } | null = null
  #queue: (() => void)[] = []
  readonly #channels = new Map<string, Set<TabChannel>>()
  readonly asleep = new Set<TabChannel>()
  readonly #unheard = new Map<TabChannel, unknown[]>()
  readonly #hearing = new Map<TabChannel, (message: unknown) => void>()

  meansOf(opened: (channel: TabChannel) => void): TabMeans {
    const request = async (name: string, options: LockOptions, callback: LockGrantedCallback<unknown>) => {
      if (options.steal !== true && this.#holder !== null) {
        await new Promise<void>((resolve, reject) => {
          this.#queue.push(resolve)
          options.signal?.addEventListener('abort', () => {
            this.#queue = this.#queue.filter((waiting) => waiting !== resolve)
            reject(new DOMException('called off', 'AbortError'))
          })
        })
        if (options.signal?.aborted) return undefined
      }
      this.#holder?.steal()
      const stolen = Promise.withResolvers<never>()
      const holder = { name, steal: () => stolen.reject(new DOMException('stolen', 'AbortError')) }
      this.#holder = holder
      try {
        return await Promise.race([callback(null), stolen.promise])
      } finally {
        if (this.#holder === holder) {
          this.#holder = null
          this.#queue.shift()?.()
        }
      }
    }
    return {
      // The part of the interface that is used, and no more.
      locks: { request: request as LockManager['request'] },
      openChannel: (name, hear) => {
        const channel = this.#channel(name, hear)
        opened(channel)
        return channel
      },
    }
  }

  wake(channel: TabChannel): void {
    this.asleep.delete(channel)
    for (const message of this.#unheard.get(channel) ?? []) this.#hearing.get(channel)?.(message)
    this.#unheard.delete(channel)
  }

  #channel(name: string, hear: (message: unknown) => void): TabChannel {
    const all = this.#channels.get(name) ?? new Set<TabChannel>()
    this.#channels.set(name, all)
    const channel: TabChannel = {
      say: (message) => {
        const copy: unknown = structuredClone(message)
        for (const other of all) {
          if (other === channel) continue
          if (this.asleep.has(other)) this.#unheard.set(other, [...(this.#unheard.get(other) ?? []), copy])
          else this.#hearing.get(other)?.(copy)
        }
      },
      close: () => all.delete(channel),
    }
    this.#hearing.set(channel, hear)
    all.add(channel)
    return channel
  }
}

interface Page {
  readonly tab: LiveTab
  readonly heard: string[]
  readonly phases: LivePhase[]
  readonly ends: string[]
  readonly close: () => void
  readonly sleep: () => void
  readonly wake: () => void
  visible: boolean
}

function setUp() {
  const server = new Console()
  const browser = new Browser()
  let pages = 0
  /** A page that has just read everything, or does not know as of when it did. */
  function open(options: { position?: string | null; person?: string; means?: null } = {}): Page {
    const { position = server.position, person = 'mika' } = options
    let channel: TabChannel | undefined
    let isAsleep = false
    const page = { heard: [] as string[], phases: [] as LivePhase[], ends: [] as string[], visible: true }
    const tab = new LiveTab(
      {
        means: options.means === null ? null : browser.meansOf((opened) => (channel = opened)),
        person,
        id: `page${(pages += 1)}`,
        follow: (stream, signal) => server.follow(stream, signal),
        isVisible: () => page.visible,
        now: () => performance.now(),
        every: (ms, callback) => {
          const timer = setInterval(() => isAsleep || callback(), ms)
          return () => clearInterval(timer)
        },
        random: () => 0.5,
        onEvent: (event) => page.heard.push(nameOf(event)),
        onPhase: (phase) => page.phases.push(phase),
        onSignedOut: (reason) => page.ends.push(reason),
      },
      position,
    )
    tab.start()
    return Object.assign(page, {
      tab,
      close: () => tab.stop(),
      sleep: () => {
        isAsleep = true
        if (channel !== undefined) browser.asleep.add(channel)
      },
      wake: () => {
        isAsleep = false
        if (channel !== undefined) browser.wake(channel)
      },
    })
  }
  return { server, open }
}

function nameOf(event: LiveEvent): string {
  return event.kind === 'members-changed' ? event.cluster : event.kind
}

/** Lets everything run that waits for nothing but its turn. */
const settle = () => vi.advanceTimersByTimeAsync(0)

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

describe('the pages of a browser', () => {
  test('have one stream, and each hears everything once', async () => {
    const { server, open } = setUp()
    const pages = Array.from({ length: 10 }, () => open())
    await settle()
    expect(server.streams.size).toBe(1)
    server.say('a')
    server.say('b')
    for (const { heard } of pages) expect(heard).toEqual(['a', 'b'])
    expect(pages.map(({ phases }) => phases.at(-1))).toEqual(Array.from({ length: 10 }, () => 'live'))
    expect(server.opened).toBe(1)
  })

  test('do not notice that the one that led was closed', async () => {
    const { server, open } = setUp()
    const [first, ...others] = Array.from({ length: 10 }, () => open())
    await settle()
    server.say('a')
    first?.close()
    server.say('said while nobody listened')
    await settle()
    server.say('b')
    for (const { heard } of others) expect(heard).toEqual(['a', 'said while nobody listened', 'b'])
    expect(first?.heard).toEqual(['a'])
    for (const { phases } of others) expect(new Set(phases.slice(phases.indexOf('live')))).toEqual(new Set(['live']))
    expect([server.streams.size, others.filter(({ tab }) => tab.leads).length]).toEqual([1, 1])
  })

  test('that have not read everything are told to, once', async () => {
    const { server, open } = setUp()
    const first = open({ position: null })
    await settle()
    const second = open({ position: null })
    await settle()
    server.say('a')
    expect([first.heard, second.heard]).toEqual([
      ['resync', 'a'],
      ['resync', 'a'],
    ])
  })

  test('are told what happened between their reading and their joining', async () => {
    const { server, open } = setUp()
    const first = open()
    await settle()
    server.say('before')
    const { position } = server
    server.say('between')
    const second = open({ position })
    await settle()
    server.say('after')
    expect(first.heard).toEqual(['before', 'between', 'after'])
    expect(second.heard).toEqual(['between', 'after'])
  })

  test('that read what the one that leads has not heard yet hear it no second time', async () => {
    const { server, open } = setUp()
    open()
    await settle()
    const ahead = open({ position: 'e-1' })
    await settle()
    server.say('a')
    server.say('b')
    expect(ahead.heard).toEqual(['b'])
  })

  test('read again when nobody can say what they missed', async () => {
    const { server, open } = setUp()
    open()
    await settle()
    const other = open({ position: 'other-7' })
    await settle()
    server.say('a')
    expect(other.heard).toEqual(['resync', 'a'])
  })

  test('of two people never hear of each other', async () => {
    const { open } = setUp()
    const mika = open()
    await settle()
    mika.sleep()
    const jo = open({ person: 'jo' })
    await settle()
    expect([mika.tab.leads, jo.phases]).toEqual([true, []])
  })

  test('all end when the session does, and none leads any more', async () => {
    const { server, open } = setUp()
    const pages = [open(), open(), open()]
    await settle()
    for (const stream of server.streams) stream.onSignedOut('It was ended elsewhere.')
    await settle()
    for (const { ends, phases } of pages) {
      expect(ends).toEqual(['It was ended elsewhere.'])
      expect(phases.at(-1)).toBe('ended')
    }
    expect([server.streams.size, server.opened]).toEqual([0, 1])
  })

  test('have a stream each where the browser has no means to share one', async () => {
    const { server, open } = setUp()
    const pages = [open({ means: null }), open({ means: null })]
    await settle()
    server.say('a')
    expect(server.streams.size).toBe(2)
    for (const { heard } of pages) expect(heard).toEqual(['a'])
  })
})

describe('a page that leads and sleeps', () => {
  test('loses the lead to one that is looked at, and goes on as the others when it wakes', async () => {
    const { server, open } = setUp()
    const sleeper = open()
    await settle()
    const hidden = open()
    const looked = open()
    hidden.visible = false
    await vi.advanceTimersByTimeAsync(3000)
    sleeper.sleep()
    for (const stream of server.streams) server.streams.delete(stream)
    await vi.advanceTimersByTimeAsync(6000)
    expect([sleeper, hidden, looked].map(({ tab }) => tab.leads)).toEqual([true, false, false])
    server.say('a')
    await vi.advanceTimersByTimeAsync(6000)
    expect([sleeper, hidden, looked].map(({ tab }) => tab.leads)).toEqual([false, false, true])
    expect([hidden.heard, looked.heard]).toEqual([['a'], ['a']])
    sleeper.wake()
    await settle()
    server.say('b')
    await settle()
    for (const { heard } of [sleeper, hidden, looked]) expect(heard).toEqual(['a', 'b'])
  })

  test('keeps the lead as long as it gives signs of life, whether the console answers or not', async () => {
    const { server, open } = setUp()
    server.up = false
    const first = open()
    await settle()
    const second = open()
    await vi.advanceTimersByTimeAsync(60_000)
    expect([first.tab.leads, second.tab.leads, second.phases.at(-1), server.opened]).toEqual([
      true,
      false,
      'waiting',
      1,
    ])
  })

  test('loses nothing to a page that slept itself and has not heard yet what was said', async () => {
    const { server, open } = setUp()
    const first = open()
    await settle()
    const second = open()
    await vi.advanceTimersByTimeAsync(3000)
    second.sleep()
    server.say('a')
    await vi.advanceTimersByTimeAsync(60_000)
    second.wake()
    await vi.advanceTimersByTimeAsync(3000)
    expect([first.tab.leads, second.tab.leads, second.heard]).toEqual([true, false, ['a']])
  })
})

const seeds = Array.from({ length: 60 }, (_, seed) => seed)

describe('T-event-kill, among the pages of a browser', () => {
  test.each(seeds)(
    'that close while others lead on, each hears every event once and in order (seed %i)',
    async (seed) => {
      for (const { heard, expected } of await play(seed, 'awake')) expect(heard).toEqual(expected)
    },
  )

  test.each(seeds)(
    'that open at any moment and sleep, none misses or doubles one without being told to read again (seed %i)',
    async (seed) => {
      for (const { heard, expected } of await play(seed, 'drowsy')) expect(unexplained(heard, expected)).toEqual([])
    },
  )
})

/** Opens, closes, sends to sleep and wakes pages while things happen; what each heard, and should have. */
async function play(seed: number, how: 'awake' | 'drowsy') {
  const sleepiness = how === 'drowsy' ? 0.1 : 0
  const { server, open } = setUp()
  const random = seeded(seed)
  let said = 0
  const pages = [{ page: open(), from: 0 }]
  for (let step = 0; step < 80; step += 1) {
    const luck = random()
    const victim = pages[Math.floor(random() * pages.length)]
    if (luck < 0.45) server.say(String((said += 1)))
    else if (luck < 0.6) {
      pages.push({ page: open(), from: said })
      if (how === 'awake') await settle()
    } else if (luck < 0.75 && pages.length > 1 && victim !== undefined) {
      victim.page.close()
      pages.splice(pages.indexOf(victim), 1)
    } else if (luck < 0.75 + sleepiness / 2) victim?.page.sleep()
    else if (luck < 0.75 + sleepiness) victim?.page.wake()
    else if (luck < 0.95) await settle()
    else await vi.advanceTimersByTimeAsync(12_000)
  }
  for (const { page } of pages) page.wake()
  await vi.advanceTimersByTimeAsync(30_000)
  server.say(String((said += 1)))
  await vi.advanceTimersByTimeAsync(5000)
  expect(server.streams.size).toBe(1)
  return pages.map(({ page: { heard }, from }) => ({
    heard,
    expected: Array.from({ length: said - from }, (_, at) => String(from + at + 1)),
  }))
}

/** What was heard twice or out of order, and what was not heard although nothing said that something was missing. */
function unexplained(heard: readonly string[], expected: readonly string[]): string[] {
  const wrong: string[] = []
  let next = Number(expected[0])
  let mayJump = false
  for (const name of heard) {
    if (name === 'resync') mayJump = true
    else {
      const number = Number(name)
      if (number < next || (number > next && !mayJump)) wrong.push(`${name} where ${next} was to come`)
      next = number + 1
      mayJump = false
    }
  }
  if (next <= Number(expected.at(-1)) && !mayJump) wrong.push(`nothing after ${next - 1}`)
  return wrong
}

/** Mulberry32. */
function seeded(seed: number): () => number {
  let state = seed + 1
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
