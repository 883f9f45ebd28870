import { countAudit, getAuditRecord, listAudit, listAuditValues } from '@malleus/shared/api/audit.ts'
import type { Endpoint, ReplyOf } from '@malleus/shared/api/endpoint.ts'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { MemoryAuditStore } from '../../testing/memory-audit-store.ts'
import type { Database } from '../database/database.ts'
import { openDatabase } from '../database/database.ts'
import type { RequestContext, Route, RouteInput } from '../http/route.ts'
import { silentLogger } from '../lib/logger.ts'
import { systemRandom } from '../lib/random.ts'
import { openAuditLog } from './audit-log.ts'
import { HistorySearch } from './history-search.ts'
import { partsOf } from './parts-of.ts'
import { auditEntry } from './record.ts'
import { RecordView } from './record-view.ts'
import { auditRoutes } from './routes.ts'
import type { VisibleHistory } from './routes.ts'
import { SearchIndex } from './search-index.ts'
import { SqliteSearchStore } from './search-store.sqlite.ts'

let verified: unknown
let routes: (visible: VisibleHistory) => readonly Route[]
let database: Database
let store: MemoryAuditStore
const report = { ok: true, at: '2026-01-01T00:00:00.000Z', records: 5, message: null }
const everywhere = { clusters: ['prod-eu', 'prod-us'], withoutCluster: true }

beforeEach(async () => {
  const clock = new ManualClock()
  store = new MemoryAuditStore()
  const log = await openAuditLog({ store, clock, random: systemRandom, logger: silentLogger })
  for (const [action, cluster, object] of [
    ['member.evacuate', 'prod-eu', 'server1'],
    ['member.evacuate', 'prod-us', 'server1'],
    ['session.sign-in', null, null],
    ['member.list', 'prod-eu', null],
    ['member.restore', 'prod-eu', 'server2'],
  ] as const) {
    await log.intent(auditEntry({ action, cluster, object }))
  }
  database = await openDatabase(':memory:', 'search')
  const searchStore = new SqliteSearchStore(database)
  const index = new SearchIndex({ history: store, store: searchStore, clock, logger: silentLogger })
  await index.catchUp()
  const search = new HistorySearch({ history: store, store: searchStore, index, clock })
  const records = new RecordView({ history: store, search, partsOf })
  routes = (visible) => auditRoutes({ search, records, verification: { report }, visibleTo: () => visible })
})

afterEach(() => database.close())

async function ask<E extends Endpoint>(endpoint: E, params: object, query: object, visible = everywhere) {
  const row = routes(visible).find((other) => other.endpoint.path === endpoint.path)
  const input = { params, query: endpoint.query?.parse(query), body: undefined } as RouteInput<typeof listAudit>
  return endpoint.reply.parse(await row?.handler({} as RequestContext, input)) as ReplyOf<E>
}

async function list(query: Record<string, string>, visible?: VisibleHistory): Promise<string[]> {
  const reply = await ask(listAudit, {}, query, visible as typeof everywhere)
  verified = reply.verification
  return reply.records.map(({ action, cluster }) => `${action} ${cluster ?? '-'}`)
}

describe('the list of the access history', () => {
  test('has the newest first, without those of people only looking', async () => {
    expect(await list({})).toEqual([
      'member.restore prod-eu',
      'session.sign-in -',
      'member.evacuate prod-us',
      'member.evacuate prod-eu',
      'chain.begin -',
    ])
  })

  test('says how the last check of all of it ended', async () => {
    await list({})
    expect(verified).toEqual(report)
  })

  test('has reads where they are asked for, and no more than asked for', async () => {
    expect(await list({ reads: 'true', limit: '2' })).toEqual(['member.restore prod-eu', 'member.list prod-eu'])
  })

  test('has one cluster, and what belongs to none, or one server where that is asked for', async () => {
    expect(await list({ cluster: 'prod-us' })).toEqual([
      'session.sign-in -',
      'member.evacuate prod-us',
      'chain.begin -',
    ])
    expect(await list({ cluster: 'prod-eu', member: 'server1' })).toEqual(['member.evacuate prod-eu'])
  })

  test('has nothing of clusters that the person may not see, also when they are named', async () => {
    const visible = { clusters: ['prod-us'], withoutCluster: false }
    expect(await list({}, visible)).toEqual(['member.evacuate prod-us'])
    expect(await list({ cluster: 'prod-eu' }, visible)).toEqual([])
    expect(await list({}, { clusters: [], withoutCluster: false })).toEqual([])
  })
})

describe('a filter', () => {
  test('narrows the list', async () => {
    expect(await list({ filter: 'what:member.evacuate cluster:prod-us' })).toEqual(['member.evacuate prod-us'])
  })

  test('that is none is refused, and says why', async () => {
    const wrong = list({ filter: 'colour:red' })
    await expect(wrong).rejects.toMatchObject({ code: 'bad_query', message: expect.stringContaining('“colour”') })
  })
})

describe('the histogram', () => {
  test('is told with instants', async () => {
    const [at] = store.records.map(({ ts }) => Math.floor(Date.parse(ts) / 60_000) * 60_000)
    const times = { from: new Date(at ?? 0).toISOString(), to: new Date((at ?? 0) + 60_000).toISOString() }
    const { bars, gaps, countedFrom } = await ask(countAudit, {}, { ...times, bars: '1' })
    expect(bars).toEqual([{ at: times.from, records: 5, refused: 0, failed: 0 }])
    expect([gaps, countedFrom]).toEqual([[], null])
  })
})

describe('what can be completed', () => {
  test('is of the cluster that is asked for, and of none', async () => {
    expect(await ask(listAuditValues, {}, { field: 'to', cluster: 'prod-us' })).toEqual({ values: ['server1'] })
    expect(await ask(listAuditValues, {}, { field: 'what', begins: 'member.e' })).toEqual({
      values: ['member.evacuate'],
    })
  })
})

describe('one record', () => {
  const of = (seq: number, visible?: typeof everywhere) =>
    ask(getAuditRecord, { chain: store.records[0]?.chain ?? '', seq: String(seq) }, {}, visible)

  test('comes as it is kept, with its place and what was checked', async () => {
    const { record, text, position, checks, verification } = await of(1)
    expect([record.action, position, verification]).toEqual(['member.evacuate', 2, report])
    expect(JSON.parse(text)).toEqual(record)
    expect(checks).toEqual({ content: true, before: true, after: true })
    expect((await of(5)).checks).toEqual({ content: true, before: true, after: null })
    expect((await of(0)).checks).toEqual({ content: true, before: true, after: true })
  })

  test('that was changed is found', async () => {
    const line = store.lines[2]
    if (line === undefined) throw new Error('there is no such line')
    store.lines[2] = { ...line, text: line.text.replace('server1', 'server9') }
    expect((await of(2)).checks).toEqual({ content: false, before: true, after: true })
    expect((await of(3)).checks).toMatchObject({ content: true, before: false })
  })

  test('that was taken away is missed by the one after it', async () => {
    store.lines.splice(2, 1)
    expect((await of(3)).checks).toMatchObject({ content: true, before: false })
  })

  test.each([
    ['that is not there', '99', everywhere],
    ['that has no number', 'first', everywhere],
    ['of a cluster that the person may not see', '1', { clusters: ['prod-us'], withoutCluster: true }],
    ['of no cluster, for who may see only some', '3', { clusters: ['prod-us'], withoutCluster: false }],
  ])('%s does not exist', async (_, seq, visible) => {
    const chain = store.records[0]?.chain ?? ''
    await expect(ask(getAuditRecord, { chain, seq }, {}, visible)).rejects.toMatchObject({ code: 'not_found' })
  })
})
