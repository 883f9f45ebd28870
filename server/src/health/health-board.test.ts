import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { systemRandom } from '../lib/random.ts'
import type { Observation } from './health.ts'
import type { HealthChange } from './health-board.ts'
import { HealthBoard } from './health-board.ts'
import { healthSettings } from './health-settings.ts'

async function boardOf(...members: string[]) {
  const clock = new ManualClock()
  const board = new HealthBoard({ clock, random: { ...systemRandom, fraction: () => 0.5 }, settings: healthSettings() })
  board.retain(members)
  const changes: HealthChange[] = []
  board.subscribe((change) => changes.push(change))
  const said = () =>
    changes.splice(0).map((change) => {
      if (change.kind === 'cluster') return `cluster panic=${change.panic} database=${String(change.databaseAvailable)}`
      return `${change.member} ${change.after?.standing ?? 'gone'} ${change.after?.symptom ?? '-'}`
    })
  return { clock, board, said }
}

const answer = (answerMs = 2): Observation => ({ kind: 'probe-answered', answerMs, fresh: false })
const stopped: Observation = {
  kind: 'probe-failed',
  failure: { phase: 'tls', how: 'silent', fresh: true, message: 'No handshake within 400 ms.' },
}
const deepOk: Observation = { kind: 'deep-answered' }
const deepFailed: Observation = { kind: 'deep-failed', message: 'No answer within 2 s.' }

describe('the board', () => {
  test('tells of changes, and not of each answer', async () => {
    const { board, said } = await boardOf('server1', 'server2')
    for (let round = 0; round < 3; round += 1) for (const name of ['server1', 'server2']) board.observe(name, answer())
    expect(said()).toEqual(['server1 healthy -', 'server2 healthy -'])
    for (let round = 0; round < 5; round += 1) board.observe('server2', stopped)
    expect(said()).toEqual(['server2 suspect stuck', 'server2 ejected stuck'])
    expect(board.current('server2')).toMatchObject({ standing: 'ejected', failure: { phase: 'tls' } })
  })

  test('forgets members that left, and knows nothing of new ones', async () => {
    const { board, said } = await boardOf('server1', 'server2')
    board.observe('server1', answer())
    said()
    board.retain(['server1', 'server3'])
    expect(said()).toEqual(['server2 gone -', 'server3 unknown -'])
    board.observe('server2', answer())
    expect([...board.snapshot()].map(([name, { standing }]) => [name, standing])).toEqual([
      ['server1', 'healthy'],
      ['server3', 'unknown'],
    ])
  })

  test('keeps what it knows of a member that is renamed', async () => {
    const { board } = await boardOf('10.20.0.11:8443')
    board.observe('10.20.0.11:8443', answer(7))
    board.rename('10.20.0.11:8443', 'server1')
    expect(board.view('server1')).toMatchObject({ standing: 'healthy', answerMs: 7 })
    expect(board.snapshot().size).toBe(1)
  })

  test('a snapshot does not change afterwards', async () => {
    const { board } = await boardOf('server1')
    const before = board.snapshot()
    board.observe('server1', answer())
    expect(before.get('server1')?.standing).toBe('unknown')
  })

  test('the answer time is the median of the last minute', async () => {
    const { board, clock } = await boardOf('server1')
    expect(board.answerMs('server1')).toBeNull()
    for (const ms of [2, 9, 3]) board.observe('server1', answer(ms))
    expect(board.answerMs('server1')).toBe(3)
    await clock.pass(60_001)
    expect(board.answerMs('server1')).toBeNull()
  })

  test('says when panic begins and ends', async () => {
    const { board, said } = await boardOf('server1', 'server2', 'server3')
    for (const name of ['server1', 'server2', 'server3']) board.observe(name, answer())
    said()
    for (const name of ['server1', 'server2']) for (let n = 0; n < 2; n += 1) board.observe(name, stopped)
    expect(board.panic).toBe(true)
    expect(said()).toContain('cluster panic=true database=null')
    board.observe('server1', answer())
    expect(board.panic).toBe(false)
    expect(said()).toContain('cluster panic=false database=null')
  })
})

describe('a slow member', () => {
  test('is suspect after half a second of answers that are much later than those of the others', async () => {
    const { board, clock, said } = await boardOf('server1', 'server2', 'server3')
    const round = async (third: number, pauseMs: number) => {
      await clock.pass(third)
      board.observe('server1', answer(2))
      board.observe('server2', answer(3))
      board.observe('server3', answer(third))
      await clock.pass(pauseMs)
    }
    for (let n = 0; n < 20; n += 1) await round(2, 500)
    said()
    for (let n = 0; n < 3; n += 1) await round(120, 30)
    expect(board.asksSoon('server3')).toBe(true)
    expect(said()).toEqual([])
    await round(120, 30)
    expect(said()).toEqual(['server3 suspect slow'])
    expect(board.view('server3').failure?.message).toBe('Answered after 120 ms; more than 15 ms is slow here.')
    expect(board.asksSoon('server3')).toBe(false)
    for (let n = 0; n < 10; n += 1) await round(2, 500)
    expect(said()).toEqual(['server3 healthy -'])
  })

  test('is named in a large cluster too, unless the others are as late, though it is held against few of them', async () => {
    const names = Array.from({ length: 80 }, (_, index) => `server${index + 1}`)
    const { board, clock, said } = await boardOf(...names)
    const round = async (late: readonly string[], pauseMs: number) => {
      const isLate = new Set(late)
      await clock.pass(late.length > 0 ? 120 : 2)
      for (const name of names) board.observe(name, answer(isLate.has(name) ? 120 : 2))
      await clock.pass(pauseMs)
    }
    for (let n = 0; n < 20; n += 1) await round([], 500)
    said()
    for (let n = 0; n < 4; n += 1) await round(['server80'], 30)
    expect(said()).toEqual(['server80 suspect slow'])
    for (let n = 0; n < 10; n += 1) await round([], 500)
    expect(said()).toEqual(['server80 healthy -'])
    for (let n = 0; n < 4; n += 1) await round(names, 30)
    expect(said().filter((change) => change.endsWith('slow'))).toEqual([])
  })

  test('stays slow until ten answers in a row have come since, however quick it was before', async () => {
    const { board, clock, said } = await boardOf('server1', 'server2')
    const round = async (second: number, pauseMs = 500) => {
      await clock.pass(second)
      board.observe('server1', answer(2))
      board.observe('server2', { kind: 'probe-answered', answerMs: second, fresh: false, inTurn: pauseMs === 500 })
      await clock.pass(pauseMs)
    }
    for (let n = 0; n < 20; n += 1) await round(2)
    said()
    for (let n = 0; n < 4; n += 1) await round(120, 30)
    for (let n = 0; n < 8; n += 1) await round(2)
    expect(said()).toEqual(['server2 suspect slow'])
    for (let n = 0; n < 2; n += 1) await round(2)
    expect(said()).toEqual(['server2 healthy -'])
  })

  test('is not one that is further away than the others, unless it becomes slower than it is', async () => {
    const { board, clock, said } = await boardOf('server1', 'server2', 'server3')
    const round = async (third: number, pauseMs = 500) => {
      await clock.pass(third)
      board.observe('server1', answer(2))
      board.observe('server2', answer(2))
      board.observe('server3', answer(third))
      await clock.pass(pauseMs)
    }
    for (let n = 0; n < 100; n += 1) await round(20)
    expect(said().filter((line) => line.startsWith('server3'))).toEqual(['server3 healthy -'])
    for (let n = 0; n < 10; n += 1) await round(200, 30)
    for (let n = 0; n < 100; n += 1) await round(200)
    expect(said()).toEqual(['server3 suspect slow'])
    for (let n = 0; n < 10; n += 1) await round(20)
    expect(said()).toEqual(['server3 healthy -'])
  })

  test('that was stopped and goes on is not called slow for long', async () => {
    const { board, said } = await boardOf('server1', 'server2')
    for (let n = 0; n < 20; n += 1) for (const name of ['server1', 'server2']) board.observe(name, answer())
    for (let n = 0; n < 2; n += 1) board.observe('server2', stopped)
    said()
    board.observe('server2', answer(1_900))
    for (let n = 0; n < 2; n += 1) board.observe('server2', answer())
    expect(said()).toEqual(['server2 probation -', 'server2 suspect slow', 'server2 probation -'])
  })

  test('is not slow by a few milliseconds', async () => {
    const { board } = await boardOf('server1', 'server2')
    for (let n = 0; n < 30; n += 1) {
      board.observe('server1', answer(1))
      board.observe('server2', answer(4))
    }
    expect(board.current('server2').standing).toBe('healthy')
  })

  test('does not become healthy by a rare quick answer, nor flap', async () => {
    const { board, clock, said } = await boardOf('server1', 'server2')
    for (let n = 0; n < 20; n += 1) {
      board.observe('server1', answer(2))
      board.observe('server2', answer(n % 6 === 5 ? 2 : 200))
      await clock.pass(230)
    }
    expect(said().filter((line) => line.startsWith('server2'))).toEqual(['server2 healthy -', 'server2 suspect slow'])
  })
})

describe('the cluster database', () => {
  const names = ['server1', 'server2', 'server3']

  test("that answers nobody is nobody's fault", async () => {
    const { board, clock, said } = await boardOf(...names)
    for (const name of names) for (const seen of [answer(), deepOk]) board.observe(name, seen)
    expect(board.databaseAvailable).toBe(true)
    said()
    for (let round = 0; round < 3; round += 1) {
      await clock.pass(5_000)
      for (const name of names) board.observe(name, deepFailed)
    }
    expect(said()).toEqual(['cluster panic=false database=false'])
    expect(names.map((name) => board.current(name).standing)).toEqual(['healthy', 'healthy', 'healthy'])
    board.observe('server2', deepOk)
    expect(said()).toEqual(['cluster panic=false database=true'])
    // Who does not reach it when it is back fails anew.
    for (let round = 0; round < 2; round += 1) {
      await clock.pass(5_000)
      board.observe('server3', deepFailed)
      for (const name of ['server1', 'server2']) board.observe(name, deepOk)
    }
    expect(said()).toEqual(['server3 degraded database'])
  })

  test('that one member does not reach makes that one degraded', async () => {
    const { board, clock, said } = await boardOf(...names)
    for (const name of names) for (const seen of [answer(), deepOk]) board.observe(name, seen)
    said()
    await clock.pass(5_000)
    board.observe('server3', deepFailed)
    for (const name of ['server1', 'server2']) board.observe(name, deepOk)
    await clock.pass(5_000)
    board.observe('server3', deepFailed)
    expect(said()).toEqual([])
    board.observe('server1', deepOk)
    expect(said()).toEqual(['server3 degraded database'])
    board.observe('server3', deepOk)
    expect(said()).toEqual(['server3 healthy -'])
  })

  test('members that do not answer at all have no say in it', async () => {
    const { board } = await boardOf(...names)
    for (const name of names) board.observe(name, deepFailed)
    expect(board.databaseAvailable).toBe(false)
    board.observe('server1', deepOk)
    for (const name of ['server2', 'server3']) for (let n = 0; n < 2; n += 1) board.observe(name, stopped)
    expect(board.databaseAvailable).toBe(true)
    expect(board.current('server2').symptom).toBe('stuck')
  })
})
