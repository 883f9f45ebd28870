// What it costs the console to watch twenty ways into a cluster: its processor time with and without them, in turn, on
// members of our own. Members and fronts run beside it and are not counted.

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startLoopbackFront } from '@malleus/server/testing/loopback-front.ts'
import { withClusterSettings } from '../support/cluster-settings.ts'
import { runConsole, startConsole, type Console } from '../support/console.ts'
import { type BenchCluster, startBenchCluster } from './bench-world.ts'
import { measurement, type Run } from './measurement.ts'
import { processCpuSeconds } from './process-cpu.ts'
import type { Report } from './report.ts'

const { values: options } = parseArgs({ options: { seconds: { type: 'string', default: '60' } } })
const seconds = Number(options.seconds)
/** Until a console that has just started does no more than it does later, and the paths are visited every five seconds. */
const settleMs = 45_000
const most = 0.08
/** Six of them announced, where two connections are made at a time; the others one, as in most places. */
const kinds = [
  ...Array<string>(6).fill('ecmp'),
  ...Array<string>(7).fill('load-balancer'),
  ...Array<string>(7).fill('floating-ip'),
]

await measurement('access-paths', measureAccessPaths)

async function measureAccessPaths(run: Run): Promise<Report> {
  const cluster = await startBenchCluster(run, { kind: 'stand-in', members: 3 })
  const shared = {
    folder: join(cluster.folder, 'console'),
    world: cluster.world,
    address: cluster.address,
    cluster: 'bench',
  }
  const first = await startConsole(shared)
  const management = Number(new URL(first.managementUrl).port)
  const without = await costOf(run, first)
  await first.stop()
  run.say(`without access paths: ${percent(without)} of one core`)

  const config = join(shared.folder, 'malleus.yaml')
  const paths = await startFronts(run, cluster)
  await writeFile(config, withClusterSettings(await readFile(config, 'utf8'), ['accessPaths:', ...paths]))
  const second = await runConsole(shared, config, management)
  run.defer(() => second.stop())
  const withThem = await costOf(run, second)
  run.say(`with ${paths.length}: ${percent(withThem)}`)
  return reportOf(without, withThem, paths.length)
}

/** As parts of one core, over the time that is measured. */
async function costOf(run: Run, { pid }: Console): Promise<number> {
  await pause(settleMs, undefined, { signal: run.signal })
  const [usedBefore, begun] = [processCpuSeconds(pid), performance.now()]
  await pause(seconds * 1_000, undefined, { signal: run.signal })
  return (processCpuSeconds(pid) - usedBefore) / ((performance.now() - begun) / 1_000)
}

async function startFronts(run: Run, { members }: BenchCluster): Promise<readonly string[]> {
  const ports = members.map(({ port }) => port)
  const lines: string[] = []
  for (const [at, kind] of kinds.entries()) {
    const front = await startLoopbackFront(kind === 'floating-ip' ? ports.slice(0, 1) : ports)
    run.defer(() => front.close())
    lines.push(`  - { kind: ${kind}, name: path${at}, address: '${front.address}' }`)
  }
  return lines
}

function reportOf(without: number, withThem: number, count: number): Report {
  const cost = withThem - without
  return {
    title: 'Processor time of watching access paths',
    conditions: [
      `Three stand-in members, ${count} paths that nothing happens to (six announced, seven balancers, seven floating addresses) and the console's own address.`,
      `The console's processor time over ${seconds} s each, ${settleMs / 1_000} s after its start, first without and then with them; nobody looks at a page.`,
    ],
    tables: [
      {
        head: ['paths', 'of one core'],
        rows: [
          ['none', percent(without)],
          [String(count), percent(withThem)],
        ],
      },
    ],
    bounds: [
      {
        claim: `20 paths: at most ${percent(most)} of one core`,
        measured: percent(cost),
        verdict: cost <= most ? 'kept' : 'missed',
      },
    ],
    data: { without, withThem },
  }
}

function percent(part: number): string {
  return `${(100 * part).toFixed(1)} %`
}
