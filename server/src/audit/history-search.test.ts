import type { AuditRecord } from '@malleus/shared/api/audit.ts'
import { parseHistoryFilter } from '@malleus/shared/domain/history-filter.ts'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import type { Database } from '../database/database.ts'
import { openDatabase } from '../database/database.ts'
import { silentLogger } from '../lib/logger.ts'
import { SqliteAuditStore } from './audit-store.sqlite.ts'
import { FilterRefused } from './filter-refused.ts'
import { HistorySearch } from './history-search.ts'
import type { HistoryPageQuestion, HistoryQuestion } from './history-search.ts'
import type { AuditEntry } from './record.ts'
import { actorOf, auditEntry, noHash, placeRecord } from './record.ts'
import { SearchIndex } from './search-index.ts'
import { SqliteSearchStore } from './search-store.sqlite.ts'

const minute = 60_000
const start = Date.parse('2026-11-22T00:00:00Z')
const opened: Database[] = []
let clock: ManualClock
let history: SqliteAuditStore
let index: SearchIndex
let search: HistorySearch
let written: number
let prev: string

async function open(name: 'audit' | 'search'): Promise<Database> {
  const database = await openDatabase(':memory:', name)
  opened.push(database)
  return database
}

beforeEach(async () => {
  clock = new ManualClock()
  history = new SqliteAuditStore(await open('audit'))
  const store = new SqliteSearchStore(await open('search'))
  index = new SearchIndex({ history, store, clock, logger: silentLogger })
  search = new HistorySearch({ history, store, index, clock })
  written = 0
  prev = noHash
})

afterEach(async () => {
  await index.stop()
  await Promise.all(opened.splice(0).map((database) => database.close()))
})

/** Adds records, a minute apart. */
async function write(...entries: (Partial<AuditEntry> & Pick<AuditEntry, 'action'>)[]): Promise<void> {
  const records = entries.map((entry) => {
    const ts = new Date(start + written * minute).toISOString()
    const record = placeRecord(auditEntry(entry), 'outcome', ts, { chain: 'c', seq: written, prev })
    written += 1
    prev = record.hash
    return record
  })
  await history.append(records)
}

/** Notes all that was written; the breaths between batches pass by themselves. */
async function note(): Promise<void> {
  const state = { done: false }
  const noted = index.catchUp().finally(() => {
    state.done = true
  })
  while (!state.done) await clock.pass(10)
  await noted
}

function by(name: string, roles: ('admin' | 'viewer')[] = ['viewer']) {
  return actorOf({ iss: 'i', sub: name, name, roles, sessionTag: `s-${name}`, authTime: null, amr: [] })
}

function asked(text: string, said: Partial<HistoryPageQuestion> = {}): HistoryPageQuestion {
  const parsed = parseHistoryFilter(text)
  if (!parsed.ok) throw new Error(parsed.problem.message)
  return {
    filter: parsed.filter,
    clusters: ['prod-eu', 'prod-us'],
    withoutCluster: true,
    reads: false,
    limit: 50,
    cursor: null,
    order: 'newest',
    ...said,
  }
}

async function found(text: string, said: Partial<HistoryPageQuestion> = {}): Promise<string[]> {
  const { records } = await search.page(asked(text, said))
  return records.map(({ seq, action }) => `${seq} ${action}`)
}

const refused = { allow: false, rule: 'default-deny' }
const failed = { status: 503, op: null, opStatus: null, bytes: null, ms: 1, code: 'member_unavailable' }

async function writeSome(): Promise<void> {
  await write(
    { action: 'session.sign-in', actor: by('Jo Doe'), src: { ip: '192.0.2.1', via: null } },
    { action: 'member.evacuate', actor: by('mika', ['admin']), cluster: 'prod-eu', object: 'server1' },
    { action: 'member.list', actor: by('Jo Doe'), cluster: 'prod-eu' },
    { action: 'member.restore', actor: by('Jo Doe'), cluster: 'prod-us', object: 'server1', decision: refused },
    { action: 'operation.cancel', actor: by('mika', ['admin']), cluster: 'prod-eu', object: 'op-1', out: failed },
    { action: 'session.sign-in', actor: by('Jo Doe'), src: { ip: '192.0.2.1', via: null } },
    { action: 'session.sign-in', actor: by('Jo Doe'), src: { ip: '198.51.100.7', via: null } },
    {
      action: 'instance-exec',
      source: 'incus',
      cluster: 'prod-eu',
      object: 'web-1',
      actor: { ...by('root'), protocol: 'unix' },
    },
  )
}

const asWritten: readonly (readonly [string, readonly string[], Partial<HistoryPageQuestion>?])[] = [
  [
    '',
    [
      '7 instance-exec',
      '6 session.sign-in',
      '5 session.sign-in',
      '4 operation.cancel',
      '3 member.restore',
      '1 member.evacuate',
      '0 session.sign-in',
    ],
  ],
  ['who:"jo doe" cluster:prod-eu', []],
  ['who:"jo doe" cluster:prod-eu', ['2 member.list'], { reads: true }],
  ['who:mika', ['4 operation.cancel', '1 member.evacuate']],
  ['who:m* result:failed', ['4 operation.cancel']],
  ['who:mika who:root', ['7 instance-exec', '4 operation.cancel', '1 member.evacuate']],
  ['-who:mika -what:session.sign-in', ['7 instance-exec', '3 member.restore']],
  ['to:server1', ['3 member.restore', '1 member.evacuate']],
  ['to:server1 cluster:prod-eu', ['1 member.evacuate']],
  ['result:refused', ['3 member.restore']],
  ['view:terminals', ['7 instance-exec']],
  ['view:outside view:admin', ['7 instance-exec', '4 operation.cancel', '1 member.evacuate']],
  ['after:2026-11-22T00:05', ['7 instance-exec', '6 session.sign-in', '5 session.sign-in']],
  ['before:2026-11-22T00:02', ['1 member.evacuate', '0 session.sign-in']],
  ['after:2026-11-22T00:01 before:2026-11-22T00:04', ['3 member.restore', '1 member.evacuate']],
  ['member_unavail', ['4 operation.cancel']],
  ['-sign-in who:"Jo Doe"', ['3 member.restore']],
  ['nobody', []],
  ['who:nobody', []],
  ['', ['0 session.sign-in', '1 member.evacuate'], { order: 'oldest', limit: 2 }],
  ['who:mika', ['1 member.evacuate', '4 operation.cancel'], { order: 'oldest' }],
  ['', ['3 member.restore'], { clusters: ['prod-us'], withoutCluster: false }],
  ['', [], { clusters: [], withoutCluster: false }],
  ['cluster:prod-eu', [], { clusters: ['prod-us'], withoutCluster: false }],
]

const questions = asWritten.map(([text, wanted, said = {}]) => [text, wanted, said] as const)

describe('the search finds', () => {
  test.each(questions)('%s: %j, by what was noted', async (text, wanted, said) => {
    await writeSome()
    await note()
    expect(await found(text, said)).toEqual(wanted)
  })

  test.each(questions)('%s: %j, before anything was noted', async (text, wanted, said) => {
    await writeSome()
    expect(await found(text, said)).toEqual(wanted)
  })

  test.each(questions)('%s: %j, when half was noted', async (text, wanted, said) => {
    await writeSomeInTwo()
    expect(await found(text, said)).toEqual(wanted)
  })

  test('only the first sign-in of a person from an address, among those from new ones', async () => {
    await writeSome()
    await note()
    expect(await found('view:new-address')).toEqual(['6 session.sign-in', '0 session.sign-in'])
  })
})

/** The same records, and the search hears of them after the first four. */
async function writeSomeInTwo(): Promise<void> {
  const all: AuditRecord[] = []
  const append = history.append.bind(history)
  history.append = (records) => {
    all.push(...records.map((record) => ({ ...record, chain: 'd' })))
    return Promise.resolve()
  }
  await writeSome()
  history.append = append
  await history.append(all.slice(0, 4))
  await note()
  await history.append(all.slice(4))
}

describe('pages', () => {
  test('follow each other without a record twice or missing, while records are added', async () => {
    for (let at = 0; at < 30; at += 1)
      await write({ action: 'member.evacuate', cluster: 'prod-eu', object: `s${at % 2}` })
    await note()
    const seen: number[] = []
    let cursor: string | null = null
    do {
      const page = await search.page(asked('to:s1', { limit: 4, cursor }))
      seen.push(...page.records.map(({ seq }) => seq))
      cursor = page.next
      await write({ action: 'member.evacuate', cluster: 'prod-eu', object: 's1' })
      await note()
    } while (cursor !== null)
    expect(seen).toEqual(Array.from({ length: 15 }, (_, at) => 29 - 2 * at))
  })

  test('from the oldest on follow each other to the newest', async () => {
    for (let at = 0; at < 9; at += 1) await write({ action: 'member.evacuate', cluster: 'prod-eu', object: 's' })
    await note()
    await write({ action: 'member.restore', cluster: 'prod-eu', object: 's' })
    const first = await search.page(asked('to:s', { limit: 6, order: 'oldest' }))
    const second = await search.page(asked('to:s', { limit: 6, order: 'oldest', cursor: first.next }))
    expect([...first.records, ...second.records].map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(second.next).toBeNull()
  })

  test('that take too long say how far they came, and where to go on', async () => {
    for (let at = 0; at < 600; at += 1)
      await write({ action: 'member.evacuate', cluster: 'prod-eu', object: at === 3 ? 'x' : 's' })
    await note()
    const impatient = new HistorySearch({ ...parts(), budgetMs: 0 })
    const first = await impatient.page(asked('"\\"object\\":\\"x\\""'))
    expect(first.records).toEqual([])
    expect(Date.parse(first.searchedTo ?? '')).toBe(start + 349 * minute)
    let { next } = first
    const seen: number[] = []
    for (let pages = 0; next !== null && pages < 5; pages += 1) {
      const page = await impatient.page(asked('"\\"object\\":\\"x\\""', { cursor: next }))
      seen.push(...page.records.map(({ seq }) => seq))
      ;({ next } = page)
    }
    expect(seen).toEqual([3])
    expect(next).toBeNull()
  })

  test('take a cursor that is none for none', async () => {
    await writeSome()
    await note()
    expect(await found('who:mika', { cursor: '%%%' })).toEqual(['4 operation.cancel', '1 member.evacuate'])
  })
})

function parts() {
  return { history, store: new SqliteSearchStore(opened[1] ?? fail()), index, clock }
}

function fail(): never {
  throw new Error('there is no database')
}

describe('an export', () => {
  const exported = async (text: string, said: Partial<HistoryQuestion> = {}) => {
    const seqs: number[] = []
    for await (const lines of search.lines({ ...asked(text), ...said })) seqs.push(...lines.map(({ seq }) => seq))
    return seqs
  }

  test.each([
    ['', [0, 1, 3, 4, 5, 6, 7], {}],
    ['', [0, 1, 2, 3, 4, 5, 6, 7], { reads: true }],
    ['who:mika', [1, 4], {}],
    ['after:2026-11-22T00:03 before:2026-11-22T00:06', [3, 4, 5], {}],
    ['sign-in', [0, 5, 6], {}],
    ['', [3], { clusters: ['prod-us'], withoutCluster: false }],
    ['who:nobody', [], {}],
  ])('of %j is %j, whatever was noted', async (text, seqs, said) => {
    await writeSome()
    expect(await exported(text, said)).toEqual(seqs)
    await note()
    expect(await exported(text, said)).toEqual(seqs)
  })

  test('of thousands has each once, in order', async () => {
    for (let at = 0; at < 11; at += 1)
      await write(
        ...Array.from({ length: 200 }, (_, of) => ({
          action: 'member.evacuate',
          cluster: 'prod-eu',
          object: `s${of % 3}`,
        })),
      )
    await note()
    await write({ action: 'member.restore', cluster: 'prod-eu', object: 's0' })
    const seqs = await exported('to:s0')
    expect(seqs).toHaveLength(738)
    expect(seqs).toEqual([...new Set(seqs)].toSorted((a, b) => a - b))
    expect(await exported('')).toEqual(Array.from({ length: 2_201 }, (_, seq) => seq))
  })
})

describe('a filter that asks for too many values', () => {
  test('is refused in words', async () => {
    await write(
      ...Array.from({ length: 501 }, (_, at) => ({ action: 'member.evacuate', cluster: 'prod-eu', object: `o${at}` })),
    )
    await note()
    await expect(search.page(asked('to:o*'))).rejects.toThrow(FilterRefused)
    expect(await found('to:o499')).toEqual(['499 member.evacuate'])
  })
})

describe('the histogram', () => {
  const over = (text: string, said: Partial<HistoryQuestion & { bars: number }> = {}) =>
    search.histogram({ ...asked(text), from: start, to: start + 8 * minute, bars: 8, ...said })

  test.each([
    ['all', '', [1, 1, 0, 1, 1, 1, 1, 1], {}],
    ['reads too', '', [1, 1, 1, 1, 1, 1, 1, 1], { reads: true }],
    ['a result', 'result:refused', [0, 0, 0, 1, 0, 0, 0, 0], {}],
    ['all but a result', '-result:refused', [1, 1, 0, 0, 1, 1, 1, 1], {}],
    ['a view', 'view:new-address', [1, 0, 0, 0, 0, 0, 1, 0], {}],
    ['a person', 'who:mika', [0, 1, 0, 0, 1, 0, 0, 0], {}],
    ['words', 'sign-in', [1, 0, 0, 0, 0, 1, 1, 0], {}],
    ['one cluster only', '', [0, 0, 0, 1, 0, 0, 0, 0], { clusters: ['prod-us'], withoutCluster: false }],
    ['nobody', 'who:nobody', [0, 0, 0, 0, 0, 0, 0, 0], {}],
  ])('counts %s by minute', async (_, text, records, said) => {
    await writeSome()
    await note()
    const { bars, countedFrom, barMs } = await over(text, said)
    expect(bars.map((bar) => bar.records)).toEqual(records)
    expect([countedFrom, barMs]).toEqual([null, minute])
  })

  test.each(['', 'who:*'])('marks what was refused and what failed: %s', async (text) => {
    await writeSome()
    await note()
    const { bars } = await over(text)
    expect(bars.map((bar) => bar.refused)).toEqual([0, 0, 0, 1, 0, 0, 0, 0])
    expect(bars.map((bar) => bar.failed)).toEqual([0, 0, 0, 0, 1, 0, 0, 0])
  })

  test('of days counts by the day what it counts by the minute', async () => {
    await writeSome()
    await note()
    const day = 1440 * minute
    const { bars, barMs } = await over('', { from: start - 3 * day, to: start + day, bars: 4 } as object)
    expect([barMs, bars.map((bar) => bar.records)]).toEqual([day, [0, 0, 0, 7]])
  })

  test('that takes too long has the newest bars, and is continued', async () => {
    await writeSome()
    await note()
    const impatient = new HistorySearch({ ...parts(), budgetMs: 0 })
    let to: number | null = start + 8 * minute
    const counted: number[] = []
    while (to !== null) {
      const { bars, countedFrom } = await impatient.histogram({
        ...asked('who:mika'),
        from: start,
        to,
        bars: Math.round((to - start) / minute),
      })
      counted.unshift(...bars.filter(({ at }) => at >= (countedFrom ?? 0)).map(({ records }) => records))
      to = countedFrom
    }
    expect(counted).toEqual([0, 1, 0, 0, 1, 0, 0, 0])
  })
})

describe('gaps', () => {
  const during = (from: number, to: number) => ({
    from: new Date(start + from * minute).toISOString(),
    to: new Date(start + to * minute).toISOString(),
  })
  test('are those of the time, and of what the person may see', async () => {
    await write(
      { action: 'events.gap', source: 'incus', cluster: 'prod-eu', during: during(-9, -5) },
      { action: 'events.gap', source: 'incus', cluster: 'prod-eu', during: during(-2, 1) },
      { action: 'requests.gap', source: 'incus', cluster: 'prod-us', during: during(2, 3) },
    )
    await note()
    const of = async (said: Partial<HistoryQuestion>) => {
      const found = await search.gaps({ ...asked(''), ...said, from: start, to: start + 10 * minute }, 10)
      return found.map((gap) => gap.during.from)
    }
    expect(await of({})).toEqual([during(2, 3).from, during(-2, 1).from])
    expect(await of({ clusters: ['prod-us'], withoutCluster: false })).toEqual([during(2, 3).from])
  })
})

describe('what can be completed', () => {
  test('are the values of records that the person may see, the most frequent first', async () => {
    await writeSome()
    await note()
    const everywhere = { clusters: ['prod-eu', 'prod-us'], withoutCluster: true, reads: true }
    expect(await search.values('who', '', everywhere, 10)).toEqual(['Jo Doe', 'mika', 'root'])
    expect(await search.values('who', 'J', everywhere, 10)).toEqual(['Jo Doe'])
    expect(await search.values('who', '', { ...everywhere, clusters: ['prod-us'], withoutCluster: false }, 10)).toEqual(
      ['Jo Doe'],
    )
    expect(await search.values('cluster', '', everywhere, 10)).toEqual(['prod-eu', 'prod-us'])
  })
})

describe('what was noted', () => {
  test('is gone on with after a restart, and made anew by other rules', async () => {
    await writeSome()
    await note()
    const store = new SqliteSearchStore(opened[1] ?? fail())
    expect(await store.progress(1)).toBe(8)
    expect(await store.progress(2)).toBe(0)
    await store.forget(2)
    expect(await store.terms('who', '', true, 5)).toEqual([])
    expect(await store.progress(2)).toBe(0)
  })

  test('leaves out a line that is no record any more', async () => {
    await writeSome()
    const after = history.after.bind(history)
    history.after = async (position, limit) =>
      (await after(position, limit)).map((line) => (line.seq === 1 ? { ...line, text: '{}' } : line))
    await note()
    expect(index.position).toBe(8)
    expect(await found('who:mika')).toEqual(['4 operation.cancel'])
  })
})
