import { afterEach, beforeEach, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import type { Database } from '../database/database.ts'
import { openDatabase } from '../database/database.ts'
import type { Observation } from '../health/health.ts'
import { silentLogger } from '../lib/logger.ts'
import { ARRIVAL_MS } from './drift.ts'
import type { DriftWatchOptions } from './drift-watch.ts'
import { DriftWatch } from './drift-watch.ts'
import { sqliteReplacementStore } from './replacement-store.sqlite.ts'

type Now = ReturnType<DriftWatchOptions['now']>

let database: Database
let clock: ManualClock
let now: Now
let replacing: boolean
let observed: [string, Observation][]
let told: string[]

beforeEach(async () => {
  database = await openDatabase(':memory:', 'malleus')
  clock = new ManualClock()
  replacing = false
  observed = []
  told = []
  now = shows('a', { server1: 'a', server2: 'a' })
})
afterEach(() => database.close())

/** What the cluster has and who presents what, in handshakes of this moment; null for who is silent. */
function shows(current: string, presented: Readonly<Record<string, string | null>>): Now {
  const members = Object.entries(presented).map(([member, fingerprint]) => ({
    member,
    answers: fingerprint !== null,
    fingerprint,
    seenAt: clock.now(),
  }))
  const absent = members.filter(({ answers }) => !answers).map(({ member }) => ({ member, why: 'It was stuck.' }))
  return { current, members, absent }
}

async function begin(): Promise<DriftWatch> {
  const watch = new DriftWatch({
    cluster: 'prod',
    now: () => now,
    isReplacing: () => replacing,
    board: { observe: (member, observation) => void observed.push([member, observation]) },
    store: sqliteReplacementStore(database),
    onChange: ({ member }, kind) => told.push(`${member} ${kind}`),
    clock,
    logger: silentLogger,
  })
  await watch.start()
  return watch
}

/** server2 is away while the certificate becomes b, and comes back with a. */
async function leaveBehind(watch: DriftWatch): Promise<void> {
  now = shows('b', { server1: 'b', server2: null })
  watch.look()
  await clock.pass(ARRIVAL_MS)
  now = shows('b', { server1: 'b', server2: 'a' })
  watch.look()
}

test('a server that comes back with the old certificate is told to the board at once, with the reason', async () => {
  const watch = await begin()
  await leaveBehind(watch)
  expect(watch.drifted).toMatchObject([{ member: 'server2', fingerprint: 'a' }])
  expect(observed).toEqual([
    [
      'server2',
      {
        kind: 'certificate',
        agrees: false,
        message: expect.stringMatching(/did not answer during the update .*: It was stuck\.$/),
      },
    ],
  ])
  // Once, however often it is looked at.
  await clock.pass(60_000)
  expect(observed).toHaveLength(1)
  expect(told).toEqual(['server2 began'])
  watch.stop()
})

test('it is over when the server presents what the others do', async () => {
  const watch = await begin()
  await leaveBehind(watch)
  now = shows('b', { server1: 'b', server2: 'b' })
  await clock.pass(2_000)
  expect(observed.at(-1)).toEqual(['server2', { kind: 'certificate', agrees: true }])
  expect(told).toEqual(['server2 began', 'server2 ended'])
  watch.stop()
})

test('why it was left behind is known after the console was started anew', async () => {
  const first = await begin()
  now = shows('b', { server1: 'b', server2: null })
  first.look()
  first.stop()
  await clock.pass(3_600_000)
  now = shows('b', { server1: 'b', server2: 'a' })
  const second = await begin()
  expect(second.drifted[0]?.reason).toMatch(/It was stuck\.$/)
  second.stop()
})

test('while somebody replaces it nobody drifts, and afterwards who has not moved does', async () => {
  const watch = await begin()
  replacing = true
  now = shows('b', { server1: 'b', server2: 'a' })
  await clock.pass(ARRIVAL_MS + 5_000)
  now = shows('b', { server1: 'b', server2: 'a' })
  watch.look()
  expect(watch.drifted).toEqual([])
  replacing = false
  await clock.pass(2_000)
  expect(watch.drifted.map(({ member }) => member)).toEqual(['server2'])
  watch.stop()
})

test('nothing is looked at after the end', async () => {
  const watch = await begin()
  watch.stop()
  await leaveBehind(watch)
  expect(observed).toEqual([])
})
