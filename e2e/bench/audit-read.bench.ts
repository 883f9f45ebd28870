// How long the access history takes to answer: the first page of every ready-made view and of filters on what is noted,
// the last page, and the counts over time, with ten million records and with a hundred thousand.

import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { LargeHistory } from '@malleus/server/testing/large-history.ts'
import { openLargeHistory } from '@malleus/server/testing/large-history.ts'
import type { HistoryFilter } from '@malleus/shared/domain/history-filter.ts'
import { parseHistoryFilter } from '@malleus/shared/domain/history-filter.ts'
import { formatMs, formatRatio } from './markdown.ts'
import { measurement, type Run } from './measurement.ts'
import type { Bound, Report } from './report.ts'
import { percentile } from './statistics.ts'

const { values: options } = parseArgs({ options: { records: { type: 'string', default: '10000000' } } })
const many = Number(options.records)
const few = 100_000
const tries = 50
/** Below this a ratio compares the turns of the clock. */
const leastMs = 5
const endsAt = Date.UTC(2026, 10, 22)

const views = ['', 'result:refused', 'view:trust', 'view:admin', 'view:terminals', 'view:new-address', 'view:outside']
const filters = [
  'who:person3@example.net',
  'who:person199@example.net after:30d',
  'to:instance-4999',
  'on:server7 result:refused',
  'from:10.20.3.7',
  'to:instance-7 who:person3@example.net',
  'cluster:cluster1 what:instance-exec',
]

interface Asked {
  readonly filter: string
  readonly kind: 'view' | 'filter'
  /** p99 of the first and of the last page, and the median of the counts over a month, in milliseconds. */
  readonly first: number
  readonly last: number
  readonly counts: number
}

await measurement('audit-read', measureReading)

async function measureReading(run: Run): Promise<Report> {
  const small = await measured(run, few)
  const large = await measured(run, many)
  return reportOf(small, large)
}

interface Measured {
  readonly records: number
  readonly bytes: number
  readonly asked: readonly Asked[]
}

async function measured(run: Run, records: number): Promise<Measured> {
  const folder = await mkdtemp(path.join(tmpdir(), 'malleus-bench-history-'))
  run.defer(() => rm(folder, { recursive: true, force: true }))
  const history = await openLargeHistory(folder, records, endsAt)
  run.defer(() => history.close())
  run.say(`${records} records are there`)
  const asked: Asked[] = []
  for (const [kind, texts] of [
    ['view', views],
    ['filter', filters],
  ] as const) {
    for (const filter of texts) asked.push(await ask(history, kind, filter))
  }
  const { size } = await stat(path.join(folder, 'search.db'))
  return { records, bytes: size / records, asked }
}

async function ask({ search }: LargeHistory, kind: Asked['kind'], text: string): Promise<Asked> {
  const question = {
    filter: filterOf(text),
    clusters: ['cluster0', 'cluster1', 'cluster2'],
    withoutCluster: true,
    reads: false,
  }
  const page = (order: 'newest' | 'oldest') => search.page({ ...question, limit: 60, cursor: null, order })
  const month = { from: endsAt - 30 * 86_400_000, to: endsAt, bars: 80 }
  return {
    filter: text,
    kind,
    first: percentile(await timesOf(tries, () => page('newest')), 0.99),
    last: percentile(await timesOf(tries, () => page('oldest')), 0.99),
    counts: percentile(await timesOf(5, () => search.histogram({ ...question, ...month })), 0.5),
  }
}

async function timesOf(count: number, act: () => Promise<unknown>): Promise<readonly number[]> {
  // The first one finds nothing in memory; a person waits for it once.
  await act()
  const times: number[] = []
  for (let at = 0; at < count; at += 1) {
    const begun = performance.now()
    await act()
    times.push(performance.now() - begun)
  }
  return times
}

function filterOf(text: string): HistoryFilter {
  const parsed = parseHistoryFilter(text)
  if (!parsed.ok) throw new Error(parsed.problem.message)
  return parsed.filter
}

function reportOf(small: Measured, large: Measured): Report {
  const worst = (of: (asked: Asked) => number, asked: readonly Asked[]) => Math.max(...asked.map(of))
  const first = worst((asked) => asked.first, large.asked)
  const last = worst((asked) => asked.last, large.asked)
  const views = worst(
    (asked) => asked.counts,
    large.asked.filter(({ kind }) => kind === 'view'),
  )
  const before = Math.max(
    leastMs,
    worst((asked) => asked.first, small.asked),
  )
  return {
    title: 'How long the access history takes to answer',
    conditions: [
      `${small.records} and ${large.records} records with what is noted of them, made up and put straight into both databases; a few people and objects are in most of them.`,
      `Each question ${tries} times, pages of 60, after one that warms the files up; the counts are over 30 days in 80 bars, as far as one answer goes.`,
    ],
    tables: [
      {
        head: [
          'filter',
          `first page, p99 (${small.records})`,
          `first page, p99 (${large.records})`,
          'last page, p99',
          'counts, p50',
        ],
        rows: large.asked.map(({ filter, ...times }, at) => [
          filter === '' ? 'everything' : filter,
          formatMs(small.asked[at]?.first ?? 0),
          formatMs(times.first),
          formatMs(times.last),
          formatMs(times.counts),
        ]),
      },
    ],
    bounds: [
      bound(`first page ≤ 50 ms p99 with ${large.records} records`, formatMs(first), first <= 50),
      bound(`at most twice its time with ${small.records}`, formatRatio(first, before), first <= 2 * before),
      bound('last page ≤ 50 ms p99', formatMs(last), last <= 50),
      bound('counts of ready-made views ≤ 50 ms', formatMs(views), views <= 50),
    ],
    data: { small, large },
  }
}

function bound(claim: string, found: string, kept: boolean): Bound {
  return { claim, measured: found, verdict: kept ? 'kept' : 'missed' }
}
