// What the overview of a cluster costs as the cluster grows: its answer time beside that of the members themselves, and
// the processor time of the console.

import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { listMembers } from '@malleus/shared/api/members.ts'
import { until } from '../lab/deadline.ts'
import type { SignedIn } from '../support/signed-in.ts'
import {
  adminToken,
  type BenchCluster,
  consoleListPath,
  memberListPath,
  signInAdmin,
  startBenchCluster,
  startBenchConsole,
} from './bench-world.ts'
import { formatMs, formatRatio } from './markdown.ts'
import { measurement, type Run } from './measurement.ts'
import { processCpuSeconds } from './process-cpu.ts'
import { profiling } from './profiling.ts'
import { type Read, type Reader, startReader } from './reader.ts'
import type { Bound, Report } from './report.ts'
import { maximum, percentile } from './statistics.ts'

const { values: options } = parseArgs({
  options: {
    real: { type: 'string', default: '3,10' },
    'stand-in': { type: 'string', default: '100,300,1000' },
    reads: { type: 'string', default: '300' },
    profile: { type: 'boolean', default: false },
  },
})
/** Of the overview; the members are asked as often together. */
const reads = Number(options.reads)
const warmUpReads = 20
const idleMs = 10_000
/** Members that are asked themselves, evenly among all. */
const mostAsked = 10
const limits = { ratio: 1.2, growth: 1.2 }

await measurement('overview-scale', measureOverviewScale)

async function measureOverviewScale(run: Run): Promise<Report> {
  const sizes = [
    ...numbers(options.real).map((members) => ({ kind: 'real', members }) as const),
    ...numbers(options['stand-in']).map((members) => ({ kind: 'stand-in', members }) as const),
  ]
  const measured: Measured[] = []
  for (const size of sizes) {
    measured.push(await measureSize(run, size))
    run.say(describe(measured.at(-1)))
  }
  return reportOf(measured)
}

function numbers(list: string): number[] {
  return list.split(',').filter(Boolean).map(Number)
}

interface Measured {
  readonly kind: BenchCluster['kind']
  readonly members: number
  readonly consoleMs: readonly number[]
  /** By member. */
  readonly directMs: Readonly<Record<string, readonly number[]>>
  /** Share of one processor that the console uses when nobody asks it anything. */
  readonly idleCpu: number
  /** Processor time of the console for one answer. */
  readonly readCpuMs: number
}

/** Each size has a cluster and a console of its own, which are ended before the next. */
async function measureSize(run: Run, size: Pick<Measured, 'kind' | 'members'>): Promise<Measured> {
  const endings: (() => unknown)[] = []
  const own: Run = { ...run, defer: (end) => endings.push(end) }
  // Also when it is interrupted in between.
  const endOnce = (): Promise<void> => endAll(endings)
  run.defer(endOnce)
  try {
    run.say(`${size.members} ${size.kind} members`)
    return await measureCluster(own, size)
  } finally {
    await endOnce()
  }
}

async function endAll(endings: (() => unknown)[]): Promise<void> {
  for (const end of endings.splice(0).toReversed()) await end()
}

async function measureCluster(run: Run, size: Pick<Measured, 'kind' | 'members'>): Promise<Measured> {
  const cluster = await startBenchCluster(run, { ...size, lab: 'overview', instances: 1 })
  const flags = profiling(options.profile, `overview-scale-${size.members}`)
  const { pid } = await startBenchConsole(run, cluster, flags)
  // A thousand first handshakes leave the provider, which lives in the process of the members, little time.
  const person = await until(
    'somebody being signed in',
    240_000,
    () => signInAdmin(cluster).catch(() => undefined),
    2_000,
  )
  const token = await adminToken(cluster)
  await untilMostHealthy(run, person, size.members)
  const reader = startReader()
  run.defer(() => reader.close())
  const asked = evenly(cluster.members, mostAsked)
  const direct = asked.map(({ name, host, port }) => ({ name, read: directRead(cluster, token, host, port) }))
  await readInTurns(run, reader, consoleRead(person), direct, warmUpReads)
  const before = await idleShare(run, pid)
  const busyStart = performance.now()
  let taken: Pick<Measured, 'consoleMs' | 'directMs'> = { consoleMs: [], directMs: {} }
  const busy = await cpuOf(pid, async () => {
    taken = await readInTurns(run, reader, consoleRead(person), direct, reads)
  })
  const busyMs = performance.now() - busyStart
  // Before and after, since what a console does at its start ebbs away slowly.
  const idleCpu = (before + (await idleShare(run, pid))) / 2
  return { ...size, ...taken, idleCpu, readCpuMs: Math.max(0, 1_000 * busy - idleCpu * busyMs) / reads }
}

/** Of one processor, while nobody asks. */
async function idleShare(run: Run, pid: number): Promise<number> {
  return (await cpuOf(pid, () => pause(idleMs, undefined, { signal: run.signal }))) / (idleMs / 1_000)
}

/** Every member is known and nearly all are well: on one machine some of a thousand are late at any moment. */
async function untilMostHealthy(run: Run, person: SignedIn, count: number): Promise<void> {
  await until(
    `${count} members, nearly all healthy`,
    240_000,
    async () => {
      run.signal.throwIfAborted()
      const { status, body } = await person.ask(consoleListPath)
      if (status !== 200) return undefined
      const { members } = listMembers.reply.parse(JSON.parse(body))
      const healthy = members.filter(({ health }) => health.standing === 'healthy').length
      return members.length === count && healthy >= 0.9 * count ? true : undefined
    },
    1_000,
  )
}

/** At most so many of them, from the first to the last. */
function evenly<Item>(items: readonly Item[], most: number): readonly Item[] {
  const count = Math.min(most, items.length)
  return Array.from({ length: count }, (_, index) => items[Math.floor((index * items.length) / count)]).filter(
    (item) => item !== undefined,
  )
}

function directRead({ certificate }: BenchCluster, token: string, host: string, port: number): Read {
  const headers = { authorization: `Bearer ${token}` }
  return { kind: 'request', host, port, path: memberListPath, headers, certificate, kept: true }
}

function consoleRead({ url, headers }: SignedIn): Read {
  const { hostname: host, port } = new URL(url)
  return { kind: 'request', host, port: Number(port), path: consoleListPath, headers, kept: true }
}

/** One read at a time: of the overview and of one member after the other, in turns. */
async function readInTurns(
  run: Run,
  reader: Reader,
  overview: Read,
  direct: readonly { readonly name: string; readonly read: Read }[],
  count: number,
): Promise<Pick<Measured, 'consoleMs' | 'directMs'>> {
  const consoleMs: number[] = []
  const directMs: Record<string, number[]> = Object.fromEntries(direct.map(({ name }) => [name, []]))
  for (let turn = 0; turn < count; turn++) {
    run.signal.throwIfAborted()
    consoleMs.push(await timeOf(reader, overview))
    const member = direct[turn % direct.length]
    if (member !== undefined) directMs[member.name]?.push(await timeOf(reader, member.read))
    // One session may ask 50 times a second.
    await pause(25)
  }
  return { consoleMs, directMs }
}

async function timeOf(reader: Reader, read: Read): Promise<number> {
  const outcome = await reader.read(read, 30_000)
  if (outcome.kind === 'failed') throw new Error(outcome.why)
  if (outcome.status !== 200) throw new Error(`${outcome.status} ${outcome.body.slice(0, 300)}`)
  return outcome.ms
}

/** Seconds of processor time of a process while something is done. */
async function cpuOf(pid: number, work: () => Promise<unknown>): Promise<number> {
  const before = processCpuSeconds(pid)
  await work()
  return processCpuSeconds(pid) - before
}

function slowest({ directMs }: Measured): number {
  return maximum(Object.values(directMs).map((ms) => percentile(ms, 0.99)))
}

function describe(measured: Measured | undefined): string {
  if (measured === undefined) return ''
  const p99 = formatMs(percentile(measured.consoleMs, 0.99))
  return `  overview p99 ${p99}, slowest member p99 ${formatMs(slowest(measured))}; console ${percent(measured.idleCpu)} of a processor at rest, ${formatMs(measured.readCpuMs)} for an answer`
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}

function reportOf(measured: readonly Measured[]): Report {
  const rows = measured.map((one) => {
    const p99 = percentile(one.consoleMs, 0.99)
    return [
      `${one.members} ${one.kind}`,
      formatMs(percentile(one.consoleMs, 0.5)),
      formatMs(p99),
      formatMs(slowest(one)),
      formatRatio(p99, slowest(one)),
      percent(one.idleCpu),
      `${((1_000_000 * one.idleCpu) / one.members).toFixed(0)} µs/s`,
      formatMs(one.readCpuMs),
      `${((1_000 * one.readCpuMs) / one.members).toFixed(0)} µs`,
    ]
  })
  return {
    title: 'The overview as the cluster grows',
    conditions: [
      `${reads} reads of the list of servers with all that the overview shows, one at a time on kept connections; in turns with them the members’ own list from each of up to ${mostAsked} members. The slowest member is the one with the greatest p99.`,
      `At rest: ${idleMs / 1_000} s before the reads and as long after them in which nobody asks, while the console probes every member. Processor time of the console alone; stand-in members are in the process of the measurement, on the same machine.`,
      `Stand-in members: ${options['stand-in']}, each with one instance. A server's processor time at rest is measured while its members are all healthy.`,
    ],
    tables: [
      {
        head: [
          'members',
          'p50',
          'p99',
          'slowest member p99',
          'ratio',
          'at rest',
          'per member',
          'an answer',
          'per member',
        ],
        rows,
      },
    ],
    bounds: [...measured.map(ratioBound), ...growthBounds(measured)],
    data: { measured },
  }
}

function ratioBound(one: Measured): Bound {
  const ratio = percentile(one.consoleMs, 0.99) / slowest(one)
  return {
    claim: `${one.members} ${one.kind} members: p99 ≤ ${limits.ratio} × that of the slowest healthy member`,
    measured: formatRatio(ratio, 1),
    verdict: ratio <= limits.ratio ? 'kept' : 'missed',
  }
}

/** Linear: a member more costs no more in a large cluster than in a small one. */
function growthBounds(measured: readonly Measured[]): Bound[] {
  const sizes = measured.filter(({ kind }) => kind === 'stand-in').toSorted((a, b) => a.members - b.members)
  const [least, most] = [sizes[0], sizes.at(-1)]
  if (least === undefined || most === undefined || least === most) return []
  const bound = (what: string, of: (one: Measured) => number): Bound => {
    const growth = of(most) / most.members / (of(least) / least.members)
    return {
      claim: `${what} grows at most as the members do, from ${least.members} to ${most.members} (× ${limits.growth})`,
      measured: `${formatRatio(growth, 1)} per member`,
      verdict: growth <= limits.growth ? 'kept' : 'missed',
    }
  }
  return [
    bound('processor time at rest', ({ idleCpu }) => idleCpu),
    bound('processor time of an answer', ({ readCpuMs }) => readCpuMs),
  ]
}
