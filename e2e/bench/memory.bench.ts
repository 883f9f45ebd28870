// Whether the console's memory is flat under the demo's load: five stand-in members, five windows with a live stream
// each that read lists every second, people who come and go, evacuations, and servers that break.
//
// The rule. Every ten seconds all garbage is collected, and what remains is measured. The first third is left out:
// caches and windows fill in ten minutes, and the arenas of malloc take ten more (resident memory rose by 13 MiB per hour
// until half an hour had passed, and by 6 after it). Through the rest goes a Theil-Sen line. Flat means: with 95 %
// certainty the heap rises by at most 2 MiB per hour, and the resident memory by at most 8 MiB per hour (it moves in
// pages and arenas, and so less evenly). If it certainly rises faster it is not flat; else nobody knows. In its first
// half hour a process still compiles what it runs, so a run of less is never more than a look: it stays undecided.
//
// The heap is judged without compiled code, which V8 counts to it: what is seldom run is compiled hours later, and there
// is only so much of it. It is shown, and is part of the resident memory.

import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startBenchCluster, startBenchConsole } from './bench-world.ts'
import { type LoadCounts, loadAsInDemo } from './demo-load.ts'
import { judgeFlatness, warmUpMinutes } from './flatness.ts'
import { inspectable, openInspector, type Usage } from './inspector.ts'
import { formatBytes } from './markdown.ts'
import { measurement, type Run } from './measurement.ts'
import type { Bound, Report } from './report.ts'
import { maximum, median } from './statistics.ts'

const { values: options } = parseArgs({ options: { minutes: { type: 'string', default: '60' } } })
const minutes = Number(options.minutes)
const sampleMs = 10_000
const leastMinutes = 30
const mebibyte = 1024 * 1024
const allowances = { objects: 2 * mebibyte, rss: 8 * mebibyte } as const
const words = {
  objects: 'heap',
  code: 'compiled code',
  external: 'buffers outside of the heap',
  rss: 'resident',
} as const

await measurement('memory', measureMemory)

interface Measured extends Usage {
  readonly atMs: number
}

async function measureMemory(run: Run): Promise<Report> {
  const cluster = await startBenchCluster(run, { kind: 'stand-in', members: 5 })
  const console = await startBenchConsole(run, cluster, inspectable)
  const inspector = await openInspector(console.logFile)
  run.defer(() => inspector.close())
  const counts: LoadCounts = {
    reads: 0,
    failures: new Map(),
    signIns: 0,
    evacuations: 0,
    faults: 0,
    live: { events: 0, reopened: 0 },
  }
  const end = new AbortController()
  const load = loadAsInDemo(cluster, counts, AbortSignal.any([run.signal, end.signal]))
  run.defer(() => load.catch(() => undefined))
  run.defer(() => end.abort())
  const samples = await Promise.race([sample(run, inspector), load.then(() => [])])
  return reportOf(samples, counts)
}

async function sample(run: Run, inspector: Awaited<ReturnType<typeof openInspector>>): Promise<Measured[]> {
  const samples: Measured[] = []
  const begun = performance.now()
  while (performance.now() - begun < minutes * 60_000) {
    await pause(sampleMs, undefined, { signal: run.signal })
    const measured = { atMs: performance.now() - begun, ...(await inspector.settledMemory()) }
    samples.push(measured)
    if (samples.length % 6 !== 0) continue
    run.say(
      `${Math.round(measured.atMs / 60_000)} min: heap ${formatBytes(measured.objects)}, compiled code ${formatBytes(measured.code)}, resident ${formatBytes(measured.rss)}`,
    )
  }
  return samples
}

function reportOf(samples: readonly Measured[], counts: LoadCounts): Report {
  const warmUp = warmUpMinutes(minutes)
  const rest = samples.filter(({ atMs }) => atMs >= warmUp * 60_000)
  return {
    title: 'Memory of the console under the load of the demo',
    conditions: [
      `${minutes} min with five stand-in members: ${counts.reads} reads (failed: ${[...counts.failures].map(([what, count]) => `${what} ${count}×`).join(', ') || 'none'}), ${counts.live.events} live events on five streams (opened again ${counts.live.reopened}×), ${counts.signIns} sign-ins, ${counts.evacuations} evacuations and restores, ${counts.faults} faults.`,
      `${samples.length} samples, one every ${sampleMs / 1000} s after all garbage was collected; the first ${warmUp.toFixed(1)} min are left out.`,
      'The slope is that of a Theil-Sen line with its 95 % interval.',
    ],
    tables: [
      {
        head: ['memory', 'first', 'median', 'last', 'max', 'slope per hour', 'from', 'to'],
        rows: (['objects', 'code', 'external', 'rss'] as const).map((kind) => rowOf(kind, rest)),
      },
    ],
    bounds: [boundOf('objects', rest), boundOf('rss', rest)],
    data: { minutes, warmUp, counts: { ...counts, failures: Object.fromEntries(counts.failures) }, samples },
  }
}

function rowOf(kind: keyof typeof words, samples: readonly Measured[]): string[] {
  const values = samples.map((one) => one[kind])
  const { slope } = judgeFlatness(hourly(kind, samples), 0)
  const shown = [values[0] ?? Number.NaN, median(values), values.at(-1) ?? Number.NaN, maximum(values)]
  return [words[kind], ...[...shown, slope.slope, slope.low, slope.high].map(formatBytes)]
}

function boundOf(kind: keyof typeof allowances, samples: readonly Measured[]): Bound {
  const { slope, verdict } = judgeFlatness(hourly(kind, samples), allowances[kind])
  return {
    claim: `${words[kind]} memory is flat (at most ${formatBytes(allowances[kind])} per hour)`,
    measured: `${formatBytes(slope.slope)} per hour`,
    verdict: minutes < leastMinutes ? 'undecided' : verdict,
  }
}

function hourly(kind: keyof typeof words, samples: readonly Measured[]): { at: number; value: number }[] {
  return samples.map((one) => ({ at: one.atMs / 3_600_000, value: one[kind] }))
}
