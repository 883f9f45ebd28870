import { X509Certificate } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { selfSigned } from '../../testing/certificate-authority.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { Seeded } from '../../testing/seeded.ts'
import { MemberError } from '../gateway/member-error.ts'
import type { ProbeReport, ProbeRequest } from '../gateway/transport.ts'
import { HealthBoard } from '../health/health-board.ts'
import { healthSettings } from '../health/health-settings.ts'
import { systemRandom } from '../lib/random.ts'
import { Prober } from './prober.ts'

type Condition =
  | {
      kind: 'up'
      connectMs?: number
      tlsMs?: number
      answerMs?: number
      deepMs?: number
      methods?: string[]
      aheadMs?: number
    }
  /** It runs only for `freeMs` of every `heldMs + freeMs`. */
  | { kind: 'throttled'; heldMs: number; freeMs: number }
  | { kind: 'stopped' | 'killed' | 'link-down' | 'starting' | 'says-starting' | 'impostor' }

type Fault = Exclude<Condition, { kind: 'up' | 'throttled' }>['kind']

const certificate = new X509Certificate(selfSigned({ commonName: 'cluster' }).certificate)
const foreign = new X509Certificate(selfSigned({ commonName: 'someone' }).certificate)

/** A network of members in virtual time: what the transport would report of each, in the condition it is in. */
class World {
  readonly clock = new ManualClock()
  readonly conditions = new Map<string, Condition>()
  readonly asked: { member: string; kind: string; connection: string; path: string; at: number }[] = []
  readonly #warm = new Set<string>()

  async probe(request: ProbeRequest): Promise<ProbeReport> {
    const { member, authority, connection } = request
    const lane = `${member.name} ${authority.kind}`
    this.asked.push({ member: member.name, kind: authority.kind, connection, path: request.path, at: this.clock.now() })
    const report = { connectMs: null, tlsMs: null, firstByteMs: null, presented: null, reply: null, failure: null }
    const fail = (kind: MemberError['kind'], phase: MemberError['phase']) => {
      this.#warm.delete(lane)
      const failure = new MemberError({ kind, phase, member: member.name, sent: false, message: `${kind} in ${phase}` })
      return { ...report, ...request.progress, failure }
    }
    /** How long it took by the clock of who asks, which may have been held up; null if it took too long. */
    const takes = async (ms: number, atMost: number): Promise<number | null> => {
      const startedAt = this.clock.monotonic()
      await this.#pass(Math.min(ms, atMost), request.signal)
      return ms <= atMost && request.signal?.aborted !== true ? this.clock.monotonic() - startedAt : null
    }
    const now = () => this.conditions.get(member.name) ?? { kind: 'up' }
    if (connection === 'new' || !this.#warm.has(lane)) {
      this.#warm.delete(lane)
      if (now().kind === 'killed') return fail('refused', 'connect')
      const connectMs = await takes(phaseMs(now(), 'connect', this.clock), request.connectTimeoutMs)
      if (connectMs === null) return fail('timed-out', 'connect')
      if (request.progress) request.progress.connectMs = connectMs
      const tlsMs = await takes(phaseMs(now(), 'tls', this.clock), request.tlsTimeoutMs)
      if (tlsMs === null) return fail('timed-out', 'tls')
      const wrong = now().kind === 'impostor'
      const presented = {
        certificate: wrong ? foreign : certificate,
        chain: [],
        verdict: wrong ? 'unknown' : 'same',
      } as const
      if (request.progress) Object.assign(request.progress, wrong ? { presented } : { presented, tlsMs })
      if (wrong) return fail('wrong-certificate', 'certificate')
      this.#warm.add(lane)
    }
    if (now().kind === 'killed') return fail('reset', 'answer')
    const answering = phaseMs(now(), authority.kind === 'console' ? 'deep' : 'answer', this.clock)
    const firstByteMs = await takes(answering, request.answerTimeoutMs)
    if (firstByteMs === null) return fail('timed-out', 'answer')
    const condition = now()
    const starting = condition.kind === 'says-starting'
    const body = starting
      ? { type: 'error', error: 'Daemon is starting up', error_code: 503 }
      : {
          type: 'sync',
          metadata: { auth_methods: (condition.kind === 'up' ? condition.methods : undefined) ?? ['tls', 'oidc'] },
        }
    return {
      ...report,
      ...request.progress,
      firstByteMs,
      reply: {
        status: starting ? 503 : 200,
        headers: {
          date: new Date(
            this.clock.now() + ((condition.kind === 'up' ? condition.aheadMs : undefined) ?? 0),
          ).toUTCString(),
        },
        body: Buffer.from(JSON.stringify(body)),
        answeredAt: this.clock.monotonic(),
      },
    }
  }

  #pass(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.clock.after(ms, resolve)
      signal?.addEventListener('abort', () => {
        cancel()
        resolve()
      })
    })
  }
}

function phaseMs(condition: Condition, phase: 'connect' | 'tls' | 'answer' | 'deep', clock: ManualClock): number {
  switch (condition.kind) {
    case 'throttled': {
      // The kernel takes connections for a process that does not run.
      if (phase === 'connect') return 1
      const { heldMs, freeMs } = condition
      const at = clock.monotonic() % (heldMs + freeMs)
      const held = at < heldMs ? heldMs - at : at + 1 > heldMs + freeMs ? 2 * heldMs + freeMs - at : 0
      return held + 1
    }
    case 'up':
      return (
        { connect: condition.connectMs, tls: condition.tlsMs, answer: condition.answerMs, deep: condition.deepMs }[
          phase
        ] ?? 2
      )
    case 'stopped':
      return phase === 'connect' ? 1 : Infinity
    case 'link-down':
      return Infinity
    case 'starting':
      return phase === 'connect' || phase === 'tls' ? 2 : Infinity
    case 'killed':
    case 'says-starting':
    case 'impostor':
      return 2
  }
}

const names = ['server1', 'server2', 'server3', 'server4', 'server5']

interface Watched {
  readonly mode?: 'bearer' | 'certificate'
  readonly deep?: boolean
  readonly members?: readonly string[]
  /** Of chance: when in the course of the probes a test begins, and how the intervals vary. */
  readonly seed?: number
}

async function watched({ mode = 'bearer', deep = true, members = names, seed = 1 }: Watched = {}) {
  const world = new World()
  const { clock } = world
  const seeded = new Seeded(seed)
  const random = { ...systemRandom, fraction: () => seeded.fraction() }
  const board = new HealthBoard({ clock, random, settings: healthSettings() })
  board.retain(members)
  const prober = new Prober({ transport: world, board, mode, deep, clock, random })
  prober.follow(
    members.map((name, index) => ({ name, endpoint: { host: `10.0.0.${index + 1}`, port: 8443 }, contacted: true })),
  )
  prober.start()
  await clock.pass(7_000 + random.fraction() * 1_000)
  expect(members.map((name) => board.current(name).standing)).toEqual(members.map(() => 'healthy'))
  const words = () => `${board.current('server3').standing} ${board.current('server3').symptom ?? '-'}`
  /** Milliseconds until the board says that of server3. */
  const until = async (said: string | RegExp, withinMs = 10_000) => {
    for (let ms = 0; ms <= withinMs; ms += 5) {
      if (typeof said === 'string' ? words() === said : said.test(words())) return ms
      await clock.pass(5)
    }
    throw new Error(`it still says "${words()}" after ${withinMs} ms, and not "${String(said)}"`)
  }
  return { world, clock, board, prober, words, until }
}

describe('a fault is on the board', () => {
  test.each<[Fault, string]>([
    ['stopped', 'ejected stuck'],
    ['link-down', 'ejected unreachable'],
    ['killed', 'ejected refusing'],
    ['starting', 'ejected stuck'],
  ])('%s: suspect in 0.95 s, ejected with its symptom in 1.45 s', async (kind, said) => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const { world, until, prober } = await watched({ seed })
      world.conditions.set('server3', { kind })
      const suspect = await until(/suspect|ejected/)
      const ejected = suspect + (await until(said))
      prober.stop()
      expect(suspect).toBeLessThanOrEqual(960)
      expect(ejected).toBeLessThanOrEqual(1_460)
    }
  })

  test.each<[string, Condition, number]>([
    ['always late by 16 ms', { kind: 'up', answerMs: 16 }, 1_500],
    ['always late by 60 ms', { kind: 'up', answerMs: 60 }, 1_500],
    ['always late by 120 ms', { kind: 'up', connectMs: 120, tlsMs: 120, answerMs: 120 }, 1_500],
    ['always late by 390 ms', { kind: 'up', answerMs: 390 }, 1_800],
    ['running a thirtieth of the time', { kind: 'throttled', heldMs: 120, freeMs: 4 }, 1_800],
  ])('slow, %s: within 2 s', async (_, condition, withinMs) => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const { world, until, prober } = await watched({ seed })
      world.conditions.set('server3', condition)
      expect(await until('suspect slow')).toBeLessThanOrEqual(withinMs)
      prober.stop()
    }
  })

  test('slower than the time a probe has: in 2 s, never called stuck, and it stays slow', async () => {
    const { world, until, clock, board } = await watched()
    world.conditions.set('server3', { kind: 'up', connectMs: 2, tlsMs: 2, answerMs: 650 })
    const heard: string[] = []
    board.subscribe((change) => change.kind === 'member' && heard.push(change.after?.symptom ?? 'slow'))
    expect(await until('suspect slow')).toBeLessThanOrEqual(1_500)
    await clock.pass(30_000)
    expect(heard.filter((symptom) => symptom !== 'slow')).toEqual([])
  })

  test('a wrong certificate: within one round of cold probes', async () => {
    const { world, until } = await watched()
    world.conditions.set('server3', { kind: 'impostor' })
    expect(await until('untrusted wrong-certificate')).toBeLessThanOrEqual(10 * 550)
  })

  test('a member that says that it is starting', async () => {
    const { world, until } = await watched()
    world.conditions.set('server3', { kind: 'says-starting' })
    expect(await until('ejected starting')).toBeLessThanOrEqual(1_000)
  })

  test('a request that saw a fault makes it known at once', async () => {
    const { world, until, board, clock } = await watched()
    world.conditions.set('server3', { kind: 'killed' })
    board.observe('server3', {
      kind: 'request-failed',
      failure: { phase: 'answer', how: 'closed', fresh: false, message: 'The connection was closed.' },
    })
    await clock.pass(0)
    expect(await until('ejected refusing')).toBeLessThanOrEqual(110)
  })

  test('a doubt that was unfounded is gone in one round trip', async () => {
    const { until, board, words } = await watched()
    board.observe('server3', { kind: 'request-silent', waitedMs: 200 })
    expect(words()).toBe('suspect -')
    expect(await until('healthy -')).toBeLessThanOrEqual(10)
  })
})

describe('nobody is called slow', () => {
  /** What was said of anybody while that went on. */
  async function saidWhile(goingOn: (world: Awaited<ReturnType<typeof watched>>) => Promise<void>, how: Watched = {}) {
    const here = await watched(how)
    const heard: string[] = []
    here.board.subscribe((change) => {
      if (change.kind === 'member') heard.push(`${change.member} ${change.after?.standing} ${change.after?.symptom}`)
    })
    await goingOn(here)
    here.prober.stop()
    return heard
  }

  test('because everybody is late from the same moment on', async () => {
    const heard = await saidWhile(async ({ world, clock, board }) => {
      for (const name of names) world.conditions.set(name, { kind: 'up', answerMs: 130 })
      expect(board.lateTogether).toBe(false)
      await clock.pass(2_000)
      expect(board.lateTogether).toBe(true)
      await clock.pass(120_000)
      // By then that is what is usual.
      expect(board.lateTogether).toBe(false)
      world.conditions.clear()
      await clock.pass(60_000)
    })
    expect(heard).toEqual([])
  })

  test('because everybody is late now and then', async () => {
    for (let seed = 1; seed <= 3; seed += 1) {
      const chance = new Seeded(seed)
      const heard = await saidWhile(
        async ({ world, clock }) => {
          for (let n = 0; n < 40; n += 1) {
            for (const name of names) world.conditions.set(name, { kind: 'up', answerMs: 60 + chance.below(80) })
            await clock.pass(chance.below(1_500))
            world.conditions.clear()
            await clock.pass(chance.below(3_000))
          }
        },
        { seed },
      )
      expect(heard).toEqual([])
    }
  })

  test('because this console can do nothing for a moment, again and again', async () => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const chance = new Seeded(seed)
      const heard = await saidWhile(
        async ({ clock }) => {
          for (let n = 0; n < 600; n += 1) {
            clock.holdUp(chance.below(200))
            await clock.pass(chance.below(150))
          }
        },
        { seed },
      )
      expect(heard).toEqual([])
    }
  })

  test('because this console can do nothing for half a second, with nobody to compare to', async () => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const chance = new Seeded(seed)
      const heard = await saidWhile(
        async ({ world, clock }) => {
          world.conditions.set('server1', { kind: 'up', answerMs: 40 })
          for (let n = 0; n < 100; n += 1) {
            clock.holdUp(300 + chance.below(400))
            await clock.pass(chance.below(2_000))
          }
        },
        { seed, members: ['server1'] },
      )
      expect(heard).toEqual([])
    }
  })

  test('because it answers late for a quarter of a second', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const heard = await saidWhile(
        async ({ world, clock }) => {
          world.conditions.set('server3', { kind: 'up', answerMs: 60 })
          await clock.pass(250)
          world.conditions.clear()
          await clock.pass(3_000)
        },
        { seed },
      )
      expect(heard).toEqual([])
    }
  })
})

describe('the symptom stays true while it is out', () => {
  test.each<[Fault, Fault, string]>([
    ['stopped', 'killed', 'ejected refusing'],
    ['killed', 'starting', 'ejected starting'],
    ['killed', 'stopped', 'ejected stuck'],
    ['link-down', 'killed', 'ejected refusing'],
    ['killed', 'link-down', 'ejected unreachable'],
    ['killed', 'impostor', 'untrusted wrong-certificate'],
  ])('%s, then %s', async (first, then, said) => {
    const { world, until, clock } = await watched()
    world.conditions.set('server3', { kind: first })
    await clock.pass(20_000)
    world.conditions.set('server3', { kind: then })
    expect(await until(said)).toBeLessThanOrEqual(3_200)
  })

  test.each<Fault>(['killed', 'stopped', 'link-down', 'starting', 'impostor'])(
    'mended after it was %s: on probation at the next probe, then healthy',
    async (kind) => {
      const { world, until, clock } = await watched()
      world.conditions.set('server3', { kind })
      await clock.pass(20_000)
      world.conditions.delete('server3')
      expect(await until('probation -')).toBeLessThanOrEqual(2_600)
      expect(await until('healthy -')).toBeLessThanOrEqual(7_000)
    },
  )
})

describe('probing', () => {
  test('is light: two questions per second and member, every tenth on a new connection', async () => {
    const { world, clock } = await watched()
    world.asked.length = 0
    await clock.pass(60_000)
    const light = world.asked.filter(({ member, kind }) => member === 'server1' && kind === 'anonymous')
    expect(light.length).toBeGreaterThan(105)
    expect(light.length).toBeLessThan(135)
    const cold = light.filter(({ connection }) => connection === 'new')
    expect(cold.length).toBeGreaterThanOrEqual(10)
    expect(cold.length).toBeLessThanOrEqual(14)
  })

  test('looks at the certificate of who is asked out of turn again and again, too', async () => {
    const { world, clock } = await watched()
    // Late now and then, and everybody with it: asked at once again each time, which is out of turn.
    const late = (isLate: boolean) => world.conditions.set('server1', { kind: 'up', answerMs: isLate ? 250 : 1 })
    for (const name of names) world.conditions.set(name, { kind: 'up', answerMs: 250 })
    for (let n = 0; n < 20; n += 1) {
      late(n % 2 === 1)
      await clock.pass((n * 137) % 900)
    }
    world.asked.length = 0
    for (let n = 0; n < 60; n += 1) {
      late(n % 3 !== 0)
      await clock.pass(1_000)
    }
    const cold = world.asked.filter(({ member, connection }) => member === 'server1' && connection === 'new')
    const gaps = cold.slice(1).map(({ at }, index) => at - (cold[index]?.at ?? 0))
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1.3 * 5_000 + 600)
  })

  test('that looks at certificates again and again still finds out that a member has stopped', async () => {
    const { world, clock, board, prober } = await watched()
    world.conditions.set('server2', { kind: 'stopped' })
    for (let looks = 0; looks < 10; looks += 1) {
      prober.look('server2')
      await clock.pass(200)
    }
    expect(board.current('server2')).toMatchObject({ standing: 'ejected', symptom: 'stuck' })
  })

  test('does not crowd members that are all late', async () => {
    const { world, clock } = await watched()
    for (const name of names) world.conditions.set(name, { kind: 'up', answerMs: 130 })
    world.asked.length = 0
    await clock.pass(60_000)
    // Two a second, and some more in the second in which it is not known yet.
    expect(world.asked.filter(({ kind }) => kind === 'anonymous').length / names.length).toBeLessThan(150)
  })

  test('asks at most eight members again at once, so that a large cluster that is late is not asked twice as much', async () => {
    const members = Array.from({ length: 60 }, (_, at) => `server${at + 1}`)
    const { world, clock } = await watched({ members })
    for (const name of members) world.conditions.set(name, { kind: 'up', answerMs: 130 })
    world.asked.length = 0
    await clock.pass(1_000)
    // Two a second of each, and eight questions and their witnesses every 160 ms.
    expect(world.asked.filter(({ kind }) => kind === 'anonymous').length).toBeLessThan(2.2 * 60 + (16 * 1_000) / 160)
  })

  test('does not crowd a member that is late, but not slow, or further away than the others', async () => {
    for (const answerMs of [12, 30]) {
      const { world, clock, prober } = await watched()
      world.conditions.set('server3', { kind: 'up', connectMs: answerMs, tlsMs: answerMs, answerMs })
      const light = () => world.asked.filter(({ member, kind }) => member === 'server3' && kind === 'anonymous').length
      world.asked.length = 0
      await clock.pass(60_000)
      expect(light()).toBeLessThan(400)
      world.asked.length = 0
      await clock.pass(60_000)
      expect(light()).toBeLessThan(135)
      prober.stop()
    }
  })

  test('goes deep every five seconds with the console identity, and not at all without one', async () => {
    const { world, clock } = await watched()
    world.asked.length = 0
    await clock.pass(60_000)
    const deep = world.asked.filter(({ member, kind }) => member === 'server1' && kind === 'console')
    expect(deep.length).toBeGreaterThanOrEqual(11)
    expect(deep.length).toBeLessThanOrEqual(13)
    expect(deep[0]?.path).toBe('/1.0/cluster/members/server1')
    const without = await watched({ deep: false })
    await without.clock.pass(10_000)
    expect(without.world.asked.filter(({ kind }) => kind === 'console')).toEqual([])
  })

  test('does not crowd a member that is down', async () => {
    const { world, clock } = await watched()
    for (const kind of ['killed', 'stopped'] as const) {
      world.conditions.set('server3', { kind })
      await clock.pass(5_000)
      world.asked.length = 0
      await clock.pass(60_000)
      expect(world.asked.filter(({ member }) => member === 'server3').length).toBeLessThan(135)
    }
  })

  test('sends nothing to members that are not contacted, nor after it was stopped', async () => {
    const { world, clock, prober, board } = await watched()
    board.retain([...names, 'server6'])
    const member = { name: 'server6', endpoint: { host: '192.0.2.1', port: 8443 }, contacted: false }
    prober.follow([member])
    await clock.pass(1_000)
    world.asked.length = 0
    await clock.pass(10_000)
    expect(world.asked).toEqual([])
    prober.follow([{ ...member, contacted: true }])
    await clock.pass(1_000)
    expect(world.asked.length).toBeGreaterThan(1)
    prober.stop()
    await clock.pass(1_000)
    world.asked.length = 0
    await clock.pass(10_000)
    expect(world.asked).toEqual([])
  })

  test('goes on under a new name', async () => {
    const { world, clock, prober, board } = await watched()
    board.rename('server3', 'db3')
    prober.follow([{ name: 'db3', endpoint: { host: '10.0.0.3', port: 8443 }, contacted: true }])
    expect(prober.records('db3').length).toBeGreaterThan(5)
    world.asked.length = 0
    await clock.pass(2_000)
    expect(new Set(world.asked.map(({ member }) => member))).toEqual(new Set(['db3']))
  })

  test('keeps the phases of the latest questions, newest first', async () => {
    const { world, clock, prober } = await watched()
    world.conditions.set('server3', { kind: 'stopped' })
    await clock.pass(6_000)
    const [newest] = prober.records('server3')
    expect(newest).toMatchObject({
      kind: 'cold',
      connectMs: 1,
      tlsMs: null,
      firstByteMs: null,
      failure: { phase: 'tls' },
    })
    expect(prober.records('server1')[0]?.failure).toBeNull()
    await clock.pass(120_000)
    expect(prober.records('server1')).toHaveLength(60)
  })
})

describe('the cluster database', () => {
  test('that hangs for everybody changes no standing and is no panic, neither while it is gone nor when it is back', async () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const { world, clock, board, prober } = await watched({ seed })
      const heard: string[] = []
      board.subscribe((change) => {
        if (change.kind === 'member') heard.push(`${change.member} ${change.after?.standing}`)
        else if (change.panic) heard.push('panic')
      })
      for (const name of names) world.conditions.set(name, { kind: 'up', deepMs: Infinity })
      await clock.pass(15_000)
      expect(board.databaseAvailable).toBe(false)
      world.conditions.clear()
      await clock.pass(20_000)
      expect(board.databaseAvailable).toBe(true)
      expect(heard).toEqual([])
      prober.stop()
    }
  })

  test('that may be lost is asked for on every member at once, and once only', async () => {
    const { world, clock, prober, board } = await watched()
    for (const name of names) world.conditions.set(name, { kind: 'up', deepMs: Infinity })
    world.asked.length = 0
    prober.askDatabase()
    prober.askDatabase()
    await clock.pass(100)
    prober.askDatabase()
    await clock.pass(2_000)
    expect(board.databaseAvailable).toBe(false)
    const deep = world.asked.filter(({ kind }) => kind === 'console').map(({ member }) => member)
    expect(deep.toSorted()).toEqual([...names])
  })

  test('that is lost is asked for again half a second after each failure, so that it is known to be back', async () => {
    const { world, clock, board } = await watched()
    for (const name of names) world.conditions.set(name, { kind: 'up', deepMs: Infinity })
    await clock.pass(10_000)
    world.asked.length = 0
    await clock.pass(25_000)
    const deep = world.asked.filter(({ member, kind }) => member === 'server1' && kind === 'console')
    expect(deep.length).toBeGreaterThanOrEqual(9)
    expect(deep.length).toBeLessThanOrEqual(11)
    world.conditions.clear()
    await clock.pass(2_700)
    expect(board.databaseAvailable).toBe(true)
  })

  test('is gone after one unanswered question of the only member that is left', async () => {
    const { world, clock, board, prober } = await watched()
    const [last, ...others] = names
    for (const name of others) world.conditions.set(name, { kind: 'killed' })
    world.conditions.set(last ?? '', { kind: 'up', deepMs: Infinity })
    await clock.pass(1_500)
    expect(others.map((name) => board.current(name).standing)).toEqual(others.map(() => 'ejected'))
    prober.askDatabase()
    const lostAt = clock.now()
    await clock.pass(2_100)
    expect(board.databaseAvailable).toBe(false)
    expect(board.databaseGoneSince).toBeLessThanOrEqual(lostAt + 2_100)
    expect(board.current(last ?? '').standing).toBe('healthy')
  })

  test('is asked for as soon as a member answers that was away', async () => {
    const { world, clock } = await watched()
    world.conditions.set('server3', { kind: 'killed' })
    await clock.pass(3_000)
    world.asked.length = 0
    world.conditions.clear()
    await clock.pass(1_200)
    expect(world.asked.some(({ member, kind }) => member === 'server3' && kind === 'console')).toBe(true)
  })

  test('that one member does not reach makes it degraded', async () => {
    const { world, until } = await watched()
    world.conditions.set('server3', { kind: 'up', deepMs: Infinity })
    expect(await until('degraded database', 20_000)).toBeLessThan(18_000)
    world.conditions.clear()
    await until('healthy -')
  })
})

describe("people's tokens", () => {
  test('a member without OpenID Connect is unusable for them', async () => {
    const { world, until } = await watched({ mode: 'bearer' })
    world.conditions.set('server3', { kind: 'up', methods: ['tls'] })
    expect(await until('degraded unauthorized')).toBeLessThanOrEqual(10 * 550)
    world.conditions.clear()
    await until('healthy -')
  })

  test('nobody asks for it where a certificate carries requests', async () => {
    const { world, clock, words } = await watched({ mode: 'certificate' })
    world.conditions.set('server3', { kind: 'up', methods: ['tls'] })
    await clock.pass(10_000)
    expect(words()).toBe('healthy -')
  })
})

test('the certificate that each member presented is kept, with its time, and changes are told', async () => {
  const { world, prober, clock, until } = await watched()
  const told: string[] = []
  prober.onPresented((member) => told.push(member))
  await clock.pass(10_000)
  expect(told).toEqual([])
  expect(prober.presented('server3')).toMatchObject({ verdict: 'same', certificate: { subject: 'CN=cluster' } })
  world.conditions.set('server3', { kind: 'impostor' })
  await until('untrusted wrong-certificate')
  expect(told).toEqual(['server3'])
  expect(prober.presented('server3')).toMatchObject({ verdict: 'unknown', certificate: { subject: 'CN=someone' } })
  world.conditions.clear()
  await until('healthy -', 20_000)
  expect(told).toEqual(['server3', 'server3'])
})

test('every probe is told once when it has ended, of the member under its present name', async () => {
  const { world, prober, clock } = await watched()
  const told: string[] = []
  const stop = prober.onRecord(({ member, record }) => told.push(`${member} ${record.at} ${record.kind}`))
  const before = new Set(prober.records('server3').map(({ at, kind }) => `server3 ${at} ${kind}`))
  world.conditions.set('server3', { kind: 'killed' })
  await clock.pass(5_000)
  const kept = prober.records('server3').map(({ at, kind }) => `server3 ${at} ${kind}`)
  expect(told.filter((each) => each.startsWith('server3')).toReversed()).toEqual(
    kept.filter((each) => !before.has(each)),
  )
  stop()
  told.length = 0
  await clock.pass(1_000)
  expect(told).toEqual([])
  prober.stop()
})

test('clock skew is measured from what members answer, and the truth is as near as it says', async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const { world, prober, clock } = await watched({ seed })
    // A clock that is set: what was measured before does not count any more.
    const aheadMs = 1_000 * seed + 7
    world.conditions.set('server1', { kind: 'up', aheadMs })
    await clock.pass(35_000)
    const { skewMs, errorMs } = prober.clockSkew('server1')!
    expect(Math.abs(skewMs - aheadMs)).toBeLessThanOrEqual(errorMs)
    // How near depends on the moments of the second that chance chose; it says so itself.
    expect(errorMs).toBeLessThanOrEqual(200)
    prober.stop()
  }
})
