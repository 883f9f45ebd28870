import { IncusMember } from '@malleus/shared/incus/member.ts'
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { ReportedMembers } from '../clusters/reported-members.ts'
import { openDatabase } from '../database/database.ts'
import type { RequestEnd } from '../gateway/request-end.ts'
import { HealthBoard } from '../health/health-board.ts'
import { healthSettings } from '../health/health-settings.ts'
import type { Observation } from '../health/health.ts'
import { silentLogger } from '../lib/logger.ts'
import { systemRandom } from '../lib/random.ts'
import type { KeptIncident, Span } from './incident.ts'
import type { IncidentStore } from './incident-store.ts'
import { sqliteIncidentStore } from './incident-store.sqlite.ts'
import { Incidents } from './incidents.ts'
import { WatchedTimes } from './watched-times.ts'
import type { WatchedTimesStore } from './watched-times-store.ts'

const good: Observation = { kind: 'probe-answered', answerMs: 1, fresh: true }
const failed: Observation = {
  kind: 'probe-failed',
  failure: { phase: 'tls', how: 'silent', fresh: true, message: 'No TLS handshake.' },
}
const all = { member: null, doubts: true, before: null }
const someone = { class: 'read', scope: 'bearer', via: 'server1', silent: [], tookMs: 4 } satisfies RequestEnd

function memoryDisk() {
  const kept = new Map<string, KeptIncident>()
  const runs = new Map<number, Span>()
  const disk = { full: false }
  const need = () => {
    if (disk.full) throw new Error('the disk is full')
  }
  const store: IncidentStore = {
    write: async (_, all) => {
      need()
      for (const incident of all) kept.set(incident.id, structuredClone(incident))
    },
    get: async (_, id) => kept.get(id) ?? null,
    open: async () => {
      need()
      return [...kept.values()].filter(({ end }) => end === null)
    },
    list: async () => [...kept.values()].toSorted((a, b) => b.beganAt.localeCompare(a.beganAt)),
    countDoubts: async () => 0,
    prune: async () => need(),
  }
  const times: WatchedTimesStore = {
    read: async () => {
      need()
      return [...runs.values()]
    },
    write: async (_, span) => {
      need()
      runs.set(span.from, span)
    },
    prune: async () => need(),
  }
  return { disk, store, times }
}

async function begin(
  { store, times }: Pick<ReturnType<typeof memoryDisk>, 'store' | 'times'>,
  clock = new ManualClock(),
) {
  const board = new HealthBoard({ clock, random: systemRandom, settings: healthSettings() })
  board.retain(['server1', 'server2', 'server3'])
  const reported = new ReportedMembers()
  const looked: number[] = []
  const common = { cluster: 'prod', clock, logger: silentLogger }
  const incidents = new Incidents({
    ...common,
    board,
    reported,
    lookAgain: () => looked.push(clock.now()),
    watched: new WatchedTimes({ ...common, store: times }),
    store,
    random: systemRandom,
  })
  const told: string[] = []
  incidents.subscribe((id) => told.push(id))
  const started = incidents.start()
  await clock.pass(0)
  await started
  const report = (status: string) =>
    reported.note(
      [IncusMember.parse({ server_name: 'server3', url: 'https://server3:8443', status, message: '' })],
      clock.now(),
    )
  const only = async () => {
    const { incidents: found } = await incidents.list(all, 50)
    expect(found).toHaveLength(1)
    return (await incidents.get(found[0]!.id))!
  }
  const fail = (member = 'server3', times = 2) => {
    for (let n = 0; n < times; n += 1) board.observe(member, failed)
  }
  /** Until it is healthy: past its ejection, with two good probes more. */
  const recover = async (member = 'server3') => {
    board.observe(member, good)
    await clock.pass(7_000)
    for (let n = 0; n < 3; n += 1) board.observe(member, good)
    expect(board.current(member).standing).toBe('healthy')
  }
  return { clock, board, incidents, report, told, looked, only, fail, recover }
}

/** All members healthy, and the cluster calls them Online. */
async function watching(disk = memoryDisk(), clock?: ManualClock) {
  const world = await begin(disk, clock)
  for (const member of ['server1', 'server2', 'server3']) world.board.observe(member, good)
  world.report('Online')
  return { ...world, ...disk }
}

describe('an incident', () => {
  test('begins with the first doubt, tells what it turned into, and is over when the member was healthy again', async () => {
    const { clock, fail, recover, only, told, incidents } = await watching()
    fail()
    expect(await only()).toMatchObject({
      member: 'server3',
      beginning: 'seen',
      worst: 'ejected',
      symptom: 'stuck',
      end: null,
      steps: [
        { standing: 'suspect', symptom: 'stuck', message: 'No TLS handshake.' },
        { standing: 'ejected', symptom: 'stuck', message: 'No TLS handshake.' },
      ],
    })
    await clock.pass(20_000)
    expect((await only()).outMs).toBe(20_000)
    expect(incidents.open('server3').map(({ outMs }) => outMs)).toEqual([20_000])
    expect(incidents.open('server1')).toEqual([])
    await recover()
    const healthyAt = clock.now()
    expect(await only()).toMatchObject({ end: null, quietSince: new Date(healthyAt).toISOString() })
    await clock.pass(29_000)
    expect((await only()).end).toBeNull()
    await clock.pass(1_000)
    expect((await only()).end).toEqual({ how: 'recovered', at: new Date(healthyAt).toISOString() })
    expect(incidents.open(null)).toEqual([])
    expect(new Set(told).size).toBe(1)
    expect(told.length).toBeGreaterThanOrEqual(4)
  })

  test('is one when the member comes and goes, and another when it was well for half a minute', async () => {
    const { clock, fail, recover, only, incidents, board } = await watching()
    fail()
    await recover()
    await clock.pass(20_000)
    fail('server3', 1)
    board.observe('server3', good)
    expect((await only()).relapses).toBe(1)
    await clock.pass(31_000)
    expect((await only()).end).not.toBeNull()
    fail()
    const { incidents: both } = await incidents.list(all, 50)
    expect(both.map(({ end }) => end === null)).toEqual([true, false])
  })

  test('of each member is its own', async () => {
    const { fail, incidents } = await watching()
    fail('server2')
    fail('server3')
    const { incidents: found } = await incidents.list(all, 50)
    expect(found.map(({ member }) => member).toSorted()).toEqual(['server2', 'server3'])
  })

  test('says when most members were out with it', async () => {
    const { fail, incidents } = await watching()
    fail('server3')
    expect(incidents.open('server3')).toMatchObject([{ panic: false }])
    fail('server2')
    expect(incidents.open(null).map(({ panic }) => panic)).toEqual([true, true])
    fail('server1', 1)
    expect(incidents.open('server1')).toMatchObject([{ panic: true }])
  })

  test('goes on under the new name of its member, and ends when the member leaves', async () => {
    const { board, fail, only } = await watching()
    fail()
    board.rename('server3', 'server7')
    expect(await only()).toMatchObject({ member: 'server7', end: null })
    board.retain(['server1', 'server2'])
    expect(await only()).toMatchObject({ member: 'server7', end: { how: 'left' } })
  })

  test('that was there when the console began to watch says so', async () => {
    const { fail, only } = await begin(memoryDisk())
    fail()
    expect(await only()).toMatchObject({ beginning: 'found', lastAnswerAt: null })
  })
})

describe('what people noticed', () => {
  test('is counted while it goes on, for the member that had to do with it', async () => {
    const { incidents, fail, only, clock } = await watching()
    incidents.count({ ...someone, silent: ['server2'], tookMs: 900 })
    fail()
    incidents.count(someone)
    incidents.count({ ...someone, silent: ['server3'] })
    incidents.count({ ...someone, silent: ['server3'], tookMs: 400 })
    incidents.count({ ...someone, via: null, silent: ['server3'], tookMs: 5_000 })
    await clock.pass(2_000)
    expect((await only()).requests).toEqual({ total: 4, hedged: 2, failed: 1, slowed: 1 })
  })

  test('has in it the requests that met the silent member before it was known to be', async () => {
    const { incidents, fail, only, clock } = await watching()
    incidents.count({ ...someone, silent: ['server3'], tookMs: 2_000 })
    await clock.pass(6_000)
    incidents.count({ ...someone, silent: ['server3'] })
    await clock.pass(900)
    fail()
    expect((await only()).requests).toMatchObject({ hedged: 1, slowed: 0 })
  })

  test('is neither what the console asks for itself nor lists, which are answered from what is known', async () => {
    const { incidents, fail, only } = await watching()
    fail()
    incidents.count({ ...someone, scope: 'console', silent: ['server3'] })
    incidents.count({ ...someone, class: 'list', silent: ['server3'] })
    expect((await only()).requests).toEqual({ total: 0, hedged: 0, failed: 0, slowed: 0 })
  })

  test('is written and told every two seconds, however many they are', async () => {
    const { incidents, fail, told, clock, store } = await watching()
    fail()
    const before = told.length
    for (let n = 0; n < 1_000; n += 1) incidents.count({ ...someone, silent: ['server3'] })
    expect(told).toHaveLength(before)
    await clock.pass(2_000)
    expect(told).toHaveLength(before + 1)
    const kept = await store.open('prod')
    expect(kept[0]?.requests.hedged).toBe(1_000)
  })
})

describe('when the cluster noticed', () => {
  test('is known, and it is asked every two seconds until it did', async () => {
    const { report, fail, only, clock, looked } = await watching()
    fail()
    await clock.pass(20_000)
    expect(looked).toHaveLength(10)
    report('Offline')
    const offlineAt = new Date(clock.now()).toISOString()
    await clock.pass(20_000)
    expect(looked).toHaveLength(10)
    expect((await only()).cluster).toEqual({ atFirst: 'Online', offlineAt, onlineAt: null })
  })

  test('that it heard again is noted also when the incident is over by then', async () => {
    const { report, fail, recover, only, clock, looked } = await watching()
    fail()
    report('Offline')
    await recover()
    await clock.pass(31_000)
    expect((await only()).end).not.toBeNull()
    expect(looked.length).toBeGreaterThan(10)
    report('Online')
    expect((await only()).cluster.onlineAt).toBe(new Date(clock.now()).toISOString())
    const before = looked.length
    await clock.pass(10_000)
    expect(looked).toHaveLength(before)
  })

  test('it is not asked for ever', async () => {
    const { fail, clock, looked } = await watching()
    fail()
    await clock.pass(600_000)
    expect(looked.length).toBeLessThanOrEqual(60)
  })
})

describe('after a restart of the console', () => {
  async function interrupted(pauseMs: number) {
    const disk = memoryDisk()
    const first = await watching(disk)
    first.fail()
    await first.clock.pass(5_000)
    await first.incidents.stop()
    return begin(disk, new ManualClock(first.clock.now() + pauseMs))
  }

  test('an incident that goes on is the same one, with a gap', async () => {
    const { only, fail, clock } = await interrupted(60_000)
    expect((await only()).end).toBeNull()
    fail()
    const { gaps, end, outMs, steps } = await only()
    expect(end).toBeNull()
    expect(gaps).toEqual([
      { from: new Date(clock.now() - 60_000).toISOString(), to: new Date(clock.now()).toISOString() },
    ])
    expect(outMs).toBe(5_000)
    expect(steps.map((step) => step.standing)).toEqual(['suspect', 'ejected', 'suspect', 'ejected'])
  })

  test('one that is over was over at an unknown time while the console did not run', async () => {
    const { only, board, clock } = await interrupted(60_000)
    await clock.pass(400)
    board.observe('server3', good)
    const from = new Date(clock.now() - 60_400).toISOString()
    expect(await only()).toMatchObject({
      end: { how: 'unseen', from, at: new Date(clock.now()).toISOString() },
      outMs: 5_000,
    })
  })

  test('after a long pause what is not well is another incident', async () => {
    const { incidents, fail } = await interrupted(3_600_000)
    fail()
    const { incidents: both } = await incidents.list(all, 50)
    expect(both.map(({ beginning, end }) => [beginning, end?.how ?? null])).toEqual([
      ['found', null],
      ['seen', 'unseen'],
    ])
  })

  test('one of a member that is no longer there ends', async () => {
    const { only, board, clock } = await interrupted(60_000)
    board.retain(['server1', 'server2'])
    await clock.pass(601_000)
    expect((await only()).end?.how).toBe('left')
  })

  test('a console that was killed was there until ten seconds before at least', async () => {
    const disk = memoryDisk()
    const killed = await watching(disk)
    killed.fail()
    await killed.clock.pass(25_000)
    const next = await begin(disk, new ManualClock(killed.clock.now() + 5_000))
    next.fail()
    const { gaps } = await next.only()
    expect(gaps).toEqual([
      { from: new Date(killed.clock.now() - 5_000).toISOString(), to: new Date(next.clock.now()).toISOString() },
    ])
  })
})

describe('a disk that fails', () => {
  test('keeps nobody waiting, and gets all of it when it works again', async () => {
    const { disk, incidents, fail, recover, only, clock, store } = await watching()
    disk.full = true
    fail()
    incidents.count({ ...someone, silent: ['server3'] })
    expect(await only()).toMatchObject({ worst: 'ejected', requests: { hedged: 1 } })
    await recover()
    await clock.pass(31_000)
    expect((await only()).end?.how).toBe('recovered')
    disk.full = false
    await clock.pass(2_000)
    expect(await store.open('prod')).toEqual([])
    expect((await only()).requests.hedged).toBe(1)
  })

  test('at the start is tried again, and what is not well by then is found', async () => {
    const whole = memoryDisk()
    whole.disk.full = true
    const { fail, clock, incidents, only } = await begin(whole)
    fail()
    expect((await incidents.list(all, 50)).incidents).toEqual([])
    whole.disk.full = false
    await clock.pass(12_000)
    expect(await only()).toMatchObject({ worst: 'ejected', beginning: 'found' })
  })
})

describe('incidents in the database', () => {
  test('are listed newest first, page by page, without doubts unless they are wanted', async () => {
    const database = await openDatabase(':memory:', 'malleus')
    const store = sqliteIncidentStore(database)
    const { clock, incidents, board } = await watching({ ...memoryDisk(), store })
    // Doubts of server2, and between them something worse of server3.
    for (const member of ['server2', 'server3', 'server2', 'server3', 'server2', 'server3']) {
      const isDoubt = member === 'server2'
      for (let times = 0; times < (isDoubt ? 1 : 2); times += 1) board.observe(member, failed)
      // Longer than the third ejection, which lasts four times as long as the first.
      await clock.pass(isDoubt ? 1_000 : 30_000)
      for (let times = 0; times < 3; times += 1) board.observe(member, good)
      await clock.pass(40_000)
    }
    await expect.poll(async () => (await store.open('prod')).length).toBe(0)
    const page = await incidents.list({ ...all, doubts: false }, 2)
    expect(page).toMatchObject({ more: true, doubtsHidden: 1 })
    expect(page.incidents.map(({ member }) => member)).toEqual(['server3', 'server3'])
    const before = Date.parse(page.incidents.at(-1)!.beganAt)
    const next = await incidents.list({ ...all, doubts: false, before }, 2)
    expect(next).toMatchObject({ more: false, doubtsHidden: 2 })
    expect(next.incidents.map(({ member }) => member)).toEqual(['server3'])
    expect((await incidents.list(all, 50)).incidents).toHaveLength(6)
    expect((await incidents.list({ ...all, member: 'server2' }, 50)).incidents).toHaveLength(3)
    expect(await incidents.get('nobody')).toBeNull()
    await incidents.stop()
    await database.close()
  })

  test('go when they are old, and the oldest when there are too many, but never one that is not over', async () => {
    const database = await openDatabase(':memory:', 'malleus')
    const store = sqliteIncidentStore(database)
    const { fail, incidents, clock } = await watching()
    fail()
    const [kept] = await (async () => {
      await clock.pass(2_000)
      const { id } = (await incidents.list(all, 1)).incidents[0]!
      return [{ ...(await incidents.get(id))!, countedUntil: '2026-01-01T00:00:00.000Z', symptomMs: {} }]
    })()
    const at = (ms: number) => new Date(ms).toISOString()
    const over = Array.from({ length: 10 }, (_, n) => ({
      ...kept,
      id: `over${n}`,
      beganAt: at(1_000 + n),
      end: { how: 'recovered', at: at(2_000 + n) } as const,
    }))
    await store.write('prod', [...over, { ...kept, id: 'open', beganAt: at(1) }])
    const left = async () => (await store.list('prod', all, 50)).map(({ id }) => id)
    await store.prune('prod', 2_005, 100)
    expect(await left()).toEqual(['over9', 'over8', 'over7', 'over6', 'over5', 'open'])
    await store.prune('prod', 0, 2)
    expect(await left()).toEqual(['over9', 'over8', 'open'])
    await database.close()
  })
})
