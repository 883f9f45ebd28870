// What the access history costs to write, to check and to take out: records per second beside a raw insert loop into the
// same database, how long a change waits for its intent, ten million records verified and exported, and their size.

import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { createWriteStream } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { HistoryAt } from '@malleus/server/testing/history-at.ts'
import { openHistoryAt, requestLogEntry } from '@malleus/server/testing/history-at.ts'
import { formatBytes, formatMs, formatRatio } from './markdown.ts'
import { measurement, type Run } from './measurement.ts'
import type { Bound, Report } from './report.ts'
import { percentile } from './statistics.ts'

const { values: options } = parseArgs({ options: { records: { type: 'string', default: '10000000' } } })
const wanted = Number(options.records)
const rounds = 5
const perRound = 20_000
/** What a record of the request log is as text, measured once; the raw loop writes rows of this length. */
const recordBytes = 800

await measurement('audit-write', measureAudit)

async function measureAudit(run: Run): Promise<Report> {
  const folder = await mkdtemp(path.join(tmpdir(), 'malleus-bench-audit-'))
  run.defer(() => rm(folder, { recursive: true, force: true }))
  const history = await openHistoryAt(folder)
  run.defer(() => history.close())
  const rates = await ratesOf(run, history)
  const alone = await intents(run, history, 500)
  const busy = await intentsWhileBusy(run, history, 500)
  const filled = await fill(run, history)
  const verified = await timed(() => history.verify())
  run.say(`verified ${verified.result} records in ${formatMs(verified.ms)}`)
  const ndjson = await exported(run, history, folder, 'ndjson')
  const csv = await exported(run, history, folder, 'csv')
  return reportOf({ rates, alone, busy, filled, verified, ndjson, csv, bytes: await sizeOf(folder) })
}

interface Measured {
  readonly rates: { readonly raw: readonly number[]; readonly history: readonly number[] }
  readonly alone: readonly number[]
  readonly busy: readonly number[]
  readonly filled: { readonly records: number; readonly ms: number }
  readonly verified: { readonly result: number; readonly ms: number }
  readonly ndjson: Exported
  readonly csv: Exported
  readonly bytes: number
}

interface Exported {
  readonly records: number
  readonly ms: number
  /** By how much the process grew behind the first tenth of it. */
  readonly grownBytes: number
}

/** In turns, so that a disk that is slower for a while is slower for both. */
async function ratesOf(run: Run, history: HistoryAt): Promise<Measured['rates']> {
  const rates: { raw: number[]; history: number[] } = { raw: [], history: [] }
  for (let round = 0; round <= rounds; round += 1) {
    run.signal.throwIfAborted()
    const raw = await timed(() => history.insertRaw(perRound, recordBytes))
    const own = await timed(() => history.fill(perRound, requestLogEntry))
    // The first round warms up.
    if (round === 0) continue
    rates.raw.push((perRound / raw.ms) * 1000)
    rates.history.push((perRound / own.ms) * 1000)
  }
  run.say(
    `records per second: ${rates.history.map(Math.round).join(', ')}; raw: ${rates.raw.map(Math.round).join(', ')}`,
  )
  return rates
}

async function intents(run: Run, { log }: HistoryAt, count: number): Promise<readonly number[]> {
  const took: number[] = []
  for (let index = 0; index < count; index += 1) {
    run.signal.throwIfAborted()
    took.push((await timed(() => log.intent(requestLogEntry(index)))).ms)
  }
  return took
}

/** While a thousand other records a second are written, ten at a time. */
async function intentsWhileBusy(run: Run, history: HistoryAt, count: number): Promise<readonly number[]> {
  const { log } = history
  const others = setInterval(() => {
    for (let index = 0; index < 10; index += 1) log.record(requestLogEntry(index))
  }, 10)
  try {
    return await intents(run, history, count)
  } finally {
    clearInterval(others)
  }
}

async function fill(run: Run, history: HistoryAt): Promise<Measured['filled']> {
  const piece = 500_000
  const begin = performance.now()
  for (let done = 0; done < wanted; done += piece) {
    run.signal.throwIfAborted()
    await history.fill(Math.min(piece, wanted - done), (index) => requestLogEntry(done + index))
    run.say(`${Math.min(wanted, done + piece)} records`)
  }
  return { records: wanted, ms: performance.now() - begin }
}

async function exported(run: Run, history: HistoryAt, folder: string, format: 'ndjson' | 'csv'): Promise<Exported> {
  const file = path.join(folder, `export.${format}`)
  const out = createWriteStream(file)
  let chunks = 0
  let early = 0
  let most = 0
  const begin = performance.now()
  const records = await history.export(format, async (bytes) => {
    run.signal.throwIfAborted()
    if (!out.write(bytes)) await once(out, 'drain')
    chunks += 1
    const { rss } = process.memoryUsage()
    if (chunks <= Math.max(20, wanted / 50_000)) early = Math.max(early, rss)
    most = Math.max(most, rss)
  })
  out.end()
  await once(out, 'finish')
  const ms = performance.now() - begin
  await rm(file)
  run.say(`exported ${records} records as ${format} in ${formatMs(ms)}`)
  return { records, ms, grownBytes: Math.max(0, most - early) }
}

async function timed<Result>(work: () => Promise<Result>): Promise<{ readonly result: Result; readonly ms: number }> {
  const begin = performance.now()
  const result = await work()
  return { result, ms: performance.now() - begin }
}

async function sizeOf(folder: string): Promise<number> {
  const files = (await readdir(folder)).filter((name) => name.startsWith('audit.db'))
  const sizes = await Promise.all(files.map(async (name) => (await stat(path.join(folder, name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}

function reportOf(measured: Measured): Report {
  const { rates, alone, busy, filled, verified, ndjson, csv, bytes } = measured
  const own = percentile(rates.history, 0.5)
  const raw = percentile(rates.raw, 0.5)
  const perRecord = bytes / verified.result
  const tenMillionMs = (verified.ms / verified.result) * 10_000_000
  const slowest = Math.min(...[ndjson, csv].map(rateOf))
  const grown = Math.max(ndjson.grownBytes, csv.grownBytes)
  return {
    title: 'What the access history costs to write, to check and to take out',
    conditions: [
      `${rounds} rounds of ${perRound} records in turns with as many raw rows of ${recordBytes} bytes into a bare table of the same database, both in transactions of 500 with full synchronisation.`,
      'Intents one after the other, alone and while a thousand other records are written each second.',
      `Then ${filled.records} records of the request log, verified and exported whole by the same process.`,
    ],
    tables: [
      {
        head: ['', 'measured'],
        rows: [
          ['records per second', rate(own)],
          ['raw rows per second', rate(raw)],
          ['intent, alone: p50, p99', `${formatMs(percentile(alone, 0.5))}, ${formatMs(percentile(alone, 0.99))}`],
          ['intent, busy: p50, p99', `${formatMs(percentile(busy, 0.5))}, ${formatMs(percentile(busy, 0.99))}`],
          [`${filled.records} records written`, `${rate((filled.records / filled.ms) * 1000)} a second`],
          [`${verified.result} records verified`, formatMs(verified.ms)],
          ['NDJSON', `${rate(rateOf(ndjson))} records a second, memory + ${formatBytes(ndjson.grownBytes)}`],
          ['CSV', `${rate(rateOf(csv))} records a second, memory + ${formatBytes(csv.grownBytes)}`],
          ['audit.db', `${formatBytes(bytes)}, ${Math.round(perRecord)} bytes per record`],
        ],
      },
    ],
    bounds: [
      bound('≥ 10,000 records a second, durable', rate(own), own >= 10_000),
      bound('≥ half of a raw insert loop', formatRatio(own, raw), own >= raw / 2),
      bound('an intent waits ≤ 5 ms p50', formatMs(percentile(busy, 0.5)), percentile(busy, 0.5) <= 5),
      bound(
        `10 million records verified in ≤ 60 s (from ${verified.result})`,
        formatMs(tenMillionMs),
        tenMillionMs <= 60_000,
      ),
      bound('export ≥ 50,000 records a second', rate(slowest), slowest >= 50_000),
      bound('export in constant memory (grows ≤ 64 MiB)', formatBytes(grown), grown <= 64 * 1_048_576),
      bound('≤ 400 bytes per record of the request log', String(Math.round(perRecord)), perRecord <= 400),
    ],
    data: measured,
  }
}

function rateOf({ records, ms }: Exported): number {
  return (records / ms) * 1000
}

function rate(perSecond: number): string {
  return Math.round(perSecond).toLocaleString('en')
}

function bound(claim: string, measured: string, kept: boolean): Bound {
  return { claim, measured, verdict: kept ? 'kept' : 'missed' }
}
