// What the console adds to a read: the members list, signed in and recorded, through the console; the same from the
// member itself; and through a bare proxy, which is what any program in between costs.

import { Agent } from 'node:http'
import { Agent as TlsAgent } from 'node:https'
import { parseArgs } from 'node:util'
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
import { clusterTrust } from './member-trust.ts'
import { profiling } from './profiling.ts'
import type { Report } from './report.ts'
import { startBareProxy } from './start-bare-proxy.ts'
import { median, percentile } from './statistics.ts'
import { type ReadOptions, timedRead } from './timed-read.ts'

const { values: options } = parseArgs({
  options: {
    'stand-in': { type: 'boolean', default: false },
    rounds: { type: 'string', default: '2000' },
    profile: { type: 'boolean', default: false },
  },
})
const rounds = Number(options.rounds)
/** As a console that has been running for a while: until then what is run most is still being compiled. */
const warmUpRounds = 1_000
/** Browsers of one person, in turns: one session may ask 50 times a second, and a quick cluster answers faster. */
const browsers = 4

await measurement('overhead', measureOverhead)

type Side = 'direct' | 'bare proxy' | 'console'

async function measureOverhead(run: Run): Promise<Report> {
  const cluster = await startBenchCluster(run, { kind: options['stand-in'] ? 'stand-in' : 'real', members: 3 })
  await startBenchConsole(run, cluster, profiling(options.profile, 'overhead'))
  const people: SignedIn[] = []
  while (people.length < browsers) people.push(await signInAdmin(cluster))
  const ports = await startBareProxy(run, cluster.folder, cluster.certificate, cluster.members)
  const samples = await readInTurns(run, sides(cluster, people, await adminToken(cluster), ports))
  return reportOf(cluster, samples)
}

/** How each side reads, given the member that the console asks. All keep their connection, as a browser does. */
function sides(
  { members, certificate, address }: BenchCluster,
  people: readonly SignedIn[],
  token: string,
  ports: ReadonlyMap<string, number>,
): Readonly<Record<Side, (member: string) => ReadOptions>> {
  const keep = { keepAlive: true, maxSockets: 1 }
  const agent = new Agent(keep)
  // With the trust in the options of each request instead, Node keeps no connection.
  const tlsAgent = new TlsAgent({ ...keep, ...clusterTrust(certificate) })
  const headers = { authorization: `Bearer ${token}` }
  const url = new URL(address.url)
  let turn = 0
  return {
    direct: (name) => {
      const { host, port } = members.find((member) => member.name === name) ?? {}
      return {
        scheme: 'https',
        options: { host, port, path: memberListPath, headers, agent: tlsAgent },
      }
    },
    'bare proxy': (name) => ({
      scheme: 'http',
      options: { host: '127.0.0.1', port: ports.get(name), path: memberListPath, headers, agent },
    }),
    console: () => ({
      scheme: 'http',
      options: {
        host: url.hostname,
        port: url.port,
        path: consoleListPath,
        headers: people[turn++ % people.length]?.headers,
        agent,
      },
    }),
  }
}

interface Samples {
  readonly ms: Readonly<Record<Side, number[]>>
  readonly asked: Map<string, number>
  /** Reads that had to make a connection first. */
  newConnections: number
}

async function readInTurns(run: Run, reads: Readonly<Record<Side, (member: string) => ReadOptions>>): Promise<Samples> {
  const orders: readonly (readonly [Side, Side, Side])[] = [
    ['console', 'direct', 'bare proxy'],
    ['direct', 'bare proxy', 'console'],
    ['bare proxy', 'console', 'direct'],
  ]
  const samples: Samples = { ms: { direct: [], 'bare proxy': [], console: [] }, asked: new Map(), newConnections: 0 }
  // The others follow the console to the member it asks, so that all three compare the same member.
  let member = 'server1'
  for (let round = 0; round < warmUpRounds + rounds; round++) {
    run.signal.throwIfAborted()
    for (const side of orders[round % orders.length] ?? []) {
      const outcome = await timedRead(reads[side](member), 10_000)
      if (outcome.kind === 'failed') throw new Error(`${side}: ${outcome.why}`)
      if (outcome.status !== 200) throw new Error(`${side}: ${outcome.status} ${outcome.body}`)
      member = outcome.via ?? member
      if (round < warmUpRounds) continue
      samples.ms[side].push(outcome.ms)
      if (!outcome.reused) samples.newConnections += 1
      if (side === 'console') samples.asked.set(member, (samples.asked.get(member) ?? 0) + 1)
    }
  }
  return samples
}

function reportOf({ kind, world }: BenchCluster, { ms, asked, newConnections }: Samples): Report {
  const base = median(ms.direct)
  const added = { proxy: median(ms['bare proxy']) - base, console: median(ms.console) - base }
  const rows = Object.entries(ms).map(([side, values]) => [
    side,
    ...[0.5, 0.9, 0.99].map((share) => formatMs(percentile(values, share))),
    side === 'direct' ? '' : formatMs(median(values) - base),
    side === 'direct' ? '' : formatRatio(median(values) - base, added.proxy),
  ])
  return {
    title: 'What the console adds to a read',
    conditions: [
      `The list of servers, ${rounds} times on each side in turns, one request at a time, on kept connections (${newConnections} of all reads had to make one), against ${world.description}.`,
      `Through the console: signed in, rights checked, recorded; its members' answer merged with its own measurements. The console asked ${[...asked].map(([name, count]) => `${name} ${count}×`).join(', ')}.`,
      'Bare proxy: node:http in, undici on a kept TLS connection out, nothing else. The console and the proxy each run in a process of their own.',
    ],
    tables: [{ head: ['side', 'p50', 'p90', 'p99', 'added p50', '× bare proxy'], rows }],
    bounds: [
      {
        claim: 'p50 added by the console ≤ 1 ms',
        measured: formatMs(added.console),
        verdict: added.console <= 1 ? 'kept' : 'missed',
      },
      {
        claim: 'p50 added ≤ 2 × that of a bare proxy',
        measured: formatRatio(added.console, added.proxy),
        verdict: added.console <= 2 * added.proxy ? 'kept' : 'missed',
      },
    ],
    data: { kind, rounds, added, ms },
  }
}
