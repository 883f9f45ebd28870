import { IncusMembers } from '@malleus/shared/incus/member.ts'
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { ReportedMembers } from '../clusters/reported-members.ts'
import { HealthBoard } from '../health/health-board.ts'
import { healthSettings } from '../health/health-settings.ts'
import { systemRandom } from '../lib/random.ts'
import { watchDatabase } from './database-watch.ts'

const names = ['server1', 'server2', 'server3', 'server4']

/** server1 leads, server2 and server3 vote, server4 holds nothing. Everybody is well. */
function watched() {
  const clock = new ManualClock()
  const board = new HealthBoard({ clock, random: systemRandom, settings: healthSettings() })
  const reported = new ReportedMembers()
  const roles = [['database-leader', 'database'], ['database'], ['database'], []]
  const rows = names.map((name, at) => ({ server_name: name, status: 'Online', roles: roles[at] }))
  reported.note(IncusMembers.parse(rows), clock.now())
  board.retain(names)
  for (const name of names) board.observe(name, { kind: 'probe-answered', answerMs: 2, fresh: true })
  for (const name of names) board.observe(name, { kind: 'deep-answered' })
  const done = { asked: 0, read: 0 }
  const end = watchDatabase({
    board,
    reported,
    prober: { askDatabase: () => (done.asked += 1) },
    discovery: { refresh: async () => void (done.read += 1) },
    clock,
  })
  const fail = (name: string, times = 1) => {
    const failure = { phase: 'connect', how: 'refused', fresh: true, message: 'Refused.' } as const
    for (let time = 0; time < times; time += 1) board.observe(name, { kind: 'probe-failed', failure })
  }
  return { clock, board, done, fail, end }
}

describe('the cluster database is asked for', () => {
  test('with the first failure of a server that holds it, and when that is out; not with each', () => {
    const { fail, done } = watched()
    fail('server2')
    expect(done.asked).toBe(1)
    fail('server2', 5)
    expect(done.asked).toBe(2)
  })

  test('not for a server that does not hold it', () => {
    const { fail, done } = watched()
    fail('server4', 3)
    expect(done.asked).toBe(0)
  })

  test('once more for a voter that the others can do without', async () => {
    const { fail, done, clock } = watched()
    fail('server2', 2)
    await clock.pass(10_000)
    expect(done.asked).toBe(2)
  })

  test('each second while too many are missing, until it is lost', async () => {
    const { fail, done, clock, board } = watched()
    fail('server2', 2)
    fail('server3', 2)
    await clock.pass(3_500)
    expect(done.asked).toBe(4 + 3)
    for (const name of ['server1', 'server4']) board.observe(name, { kind: 'deep-failed', message: 'No answer.' })
    expect(board.databaseAvailable).toBe(false)
    await clock.pass(10_000)
    expect(done.asked).toBe(4 + 3)
  })

  test('not after the watch has ended', async () => {
    const { fail, done, clock, end } = watched()
    fail('server1', 2)
    end()
    fail('server2', 2)
    await clock.pass(5_000)
    expect(done.asked).toBe(2)
  })
})

test('who leads it is read as soon as it is back', () => {
  const { board, done } = watched()
  for (const name of names) board.observe(name, { kind: 'deep-failed', message: 'No answer.' })
  expect(done.read).toBe(0)
  board.observe('server2', { kind: 'deep-answered' })
  expect(done.read).toBe(1)
})
