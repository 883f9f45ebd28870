import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { MemberError } from '../gateway/member-error.ts'
import type { ProbeReport, ProbeRequest } from '../gateway/transport.ts'
import type { Failure } from '../health/health.ts'
import type { Clock } from '../lib/clock.ts'
import { sleep } from '../lib/clock.ts'
import type { Question } from './probe.ts'
import { probe } from './probe.ts'

const member = { name: 'server1', endpoint: { host: '10.0.0.1', port: 8443 } }
const question: Question = { kind: 'cold', member, path: '/1.0', connection: 'new', phaseTimeoutMs: 400 }
const nothing = { connectMs: null, tlsMs: null, firstByteMs: null, presented: null, reply: null, failure: null }

/** A member whose phases take that long, in virtual time. */
function answering(clock: Clock, ms: { connect: number; tls: number; answer: number }, status = 200, body = '{}') {
  return {
    probe: async ({ progress = {}, signal }: ProbeRequest): Promise<ProbeReport> => {
      await sleep(clock, ms.connect, signal)
      progress.connectMs = ms.connect
      await sleep(clock, ms.tls, signal)
      progress.tlsMs = ms.tls
      await sleep(clock, ms.answer, signal)
      const reply = { status, headers: {}, body: Buffer.from(body), answeredAt: clock.monotonic() }
      return { ...nothing, connectMs: ms.connect, tlsMs: ms.tls, firstByteMs: ms.answer, reply }
    },
  }
}

function failing(kind: MemberError['kind'], phase: MemberError['phase']) {
  const failure = new MemberError({ kind, phase, member: 'server1', sent: false, message: `${kind} in ${phase}` })
  return { probe: () => Promise.resolve({ ...nothing, failure }) }
}

async function asked(ms: { connect: number; tls: number; answer: number }, more: Partial<Question> = {}) {
  const clock = new ManualClock()
  const silent: { failure: Failure; atMs: number }[] = []
  const startedAt = clock.monotonic()
  const ending = probe(answering(clock, ms), clock, { ...question, ...more }, (failure) =>
    silent.push({ failure, atMs: clock.monotonic() - startedAt }),
  )
  let endedAt = Infinity
  void ending.then(() => (endedAt = clock.monotonic()))
  await clock.pass(20_000)
  return { ended: await ending, silent, tookMs: endedAt - startedAt }
}

describe('a question', () => {
  test('that is answered tells how long each phase took', async () => {
    const { ended } = await asked({ connect: 3, tls: 8, answer: 2 })
    expect(ended).toMatchObject({ failure: null, answerMs: 2, fresh: true })
    expect(ended.record).toMatchObject({ connectMs: 3, tlsMs: 8, firstByteMs: 2, failure: null })
  })

  test.each<[Failure['phase'], { connect: number; tls: number; answer: number }, number]>([
    ['connect', { connect: 9_000, tls: 1, answer: 1 }, 400],
    ['tls', { connect: 10, tls: 9_000, answer: 1 }, 410],
    ['answer', { connect: 10, tls: 20, answer: 9_000 }, 430],
  ])('ends when %s is silent for its time', async (phase, ms, tookMs) => {
    const asking = await asked(ms)
    expect(asking.ended).toMatchObject({ failure: { phase, how: 'silent', fresh: true }, wasSilent: false })
    expect(asking.tookMs).toBe(tookMs)
    expect(asking.silent).toEqual([])
  })

  test('gives each phase its own time', async () => {
    const { ended } = await asked({ connect: 390, tls: 390, answer: 390 })
    expect(ended.failure).toBeNull()
  })

  test('that lingers says that it is silent, and hears a late answer', async () => {
    const { ended, silent } = await asked({ connect: 2, tls: 3, answer: 700 }, { lingerMs: 2_000 })
    expect(silent).toEqual([{ failure: expect.objectContaining({ phase: 'answer' }) as Failure, atMs: 405 }])
    expect(ended).toMatchObject({ failure: null, answerMs: 700 })
  })

  test('on a warm connection does not pretend to know which phase is silent', async () => {
    const clock = new ManualClock()
    const hung = { probe: () => new Promise<ProbeReport>(() => {}) }
    const ending = probe(hung, clock, { ...question, kind: 'light', connection: 'warm' })
    await clock.pass(400)
    expect(await ending).toMatchObject({
      failure: { phase: 'answer', how: 'silent', fresh: false, message: 'No answer within 400 ms.' },
    })
  })

  test('does not blame a member when the console itself was held up', async () => {
    const clock = new ManualClock()
    // As after a suspended process: the first timer fires a second late, and the answer is read right after it.
    let first = true
    const late: Clock = {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      after: (ms, callback) => {
        const delay = first ? ms + 1_000 : ms
        first = false
        return clock.after(delay, callback)
      },
    }
    const ending = probe(answering(clock, { connect: 1_395, tls: 3, answer: 3 }), late, question)
    await clock.pass(5_000)
    expect((await ending).failure).toBeNull()
  })

  test('blames it when it is silent still', async () => {
    const clock = new ManualClock()
    let first = true
    const late: Clock = {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      after: (ms, callback) => {
        const delay = first ? ms + 1_000 : ms
        first = false
        return clock.after(delay, callback)
      },
    }
    const ending = probe({ probe: () => new Promise<ProbeReport>(() => {}) }, late, question)
    await clock.pass(1_900)
    expect((await ending).failure?.phase).toBe('connect')
  })
})

describe('a failure in the words of the board', () => {
  const table: [MemberError['kind'], MemberError['phase'], Question['connection'], Partial<Failure>][] = [
    ['refused', 'connect', 'new', { phase: 'connect', how: 'refused', fresh: true }],
    ['refused', 'connect', 'warm', { phase: 'connect', how: 'refused', fresh: true }],
    ['unreachable', 'connect', 'new', { phase: 'connect', how: 'no-route' }],
    ['unreachable', 'resolve', 'new', { phase: 'resolve', how: 'no-route' }],
    ['timed-out', 'tls', 'new', { phase: 'tls', how: 'silent' }],
    ['reset', 'tls', 'new', { phase: 'tls', how: 'closed' }],
    ['reset', 'connect', 'warm', { phase: 'answer', how: 'closed', fresh: false }],
    ['reset', 'answer', 'warm', { phase: 'answer', how: 'closed', fresh: false }],
    ['bad-reply', 'tls', 'new', { phase: 'tls', how: 'closed' }],
    ['wrong-certificate', 'certificate', 'new', { phase: 'certificate', how: 'wrong-certificate' }],
  ]
  test.each(table)('%s in %s on a %s connection', async (kind, phase, connection, failure) => {
    const ended = await probe(failing(kind, phase), new ManualClock(), { ...question, connection })
    expect(ended.failure).toMatchObject(failure)
  })

  test.each<[number, string, Failure['how'] | null]>([
    [200, '{}', null],
    [503, '{"type":"error","error":"Daemon is starting up"}', 'starting'],
    [503, '{"type":"error","error":"no available cowsql leader server found"}', null],
    [404, '{}', null],
    [500, 'not JSON', null],
  ])('HTTP %i with %s', async (status, body, how) => {
    const clock = new ManualClock()
    const ending = probe(answering(clock, { connect: 1, tls: 1, answer: 1 }, status, body), clock, question)
    await clock.pass(10)
    expect((await ending).failure?.how ?? null).toBe(how)
  })
})
