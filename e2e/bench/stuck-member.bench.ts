// What a member that is stopped with SIGSTOP costs a reader, through the console and through what one would use without
// it: a DNS name with every member's address, and haproxy with HTTP checks. All three in one run.

import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { SignedIn } from '../support/signed-in.ts'
import {
  adminToken,
  type BenchCluster,
  consoleListPath,
  leaderOf,
  memberListPath,
  signInAdmin,
  startBenchCluster,
  startBenchConsole,
} from './bench-world.ts'
import { startHaproxy } from './haproxy.ts'
import { formatMs, formatRatio } from './markdown.ts'
import { measurement, type Run } from './measurement.ts'
import { clusterTrust } from './member-trust.ts'
import { profiling } from './profiling.ts'
import { type ListAnswer, readListAnswer } from './list-answer.ts'
import type { Bound, Report } from './report.ts'
import { startRoundRobin } from './round-robin.ts'
import { maximum, percentile } from './statistics.ts'
import { steadyLoad, type Timed } from './steady-load.ts'
import { type Outcome, type ReadOverTls, timedRead } from './timed-read.ts'

const { values: options } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, profile: { type: 'boolean', default: false } },
})
const seconds = Number(options.seconds)
const stopAtMs = (seconds * 1000) / 3
const perSecond = 50
const patienceMs = 10_000
const memberCount = 3
/** How late reads may be sent for the run to count. */
const mostLagMs = 50
/** Before the stop, to find out in time who leads the database. */
const leadTimeMs = 500

await measurement('stuck-member', measureStuckMember)

async function measureStuckMember(run: Run): Promise<Report> {
  const cluster = await startBenchCluster(run, { kind: 'real', members: memberCount })
  await startBenchConsole(run, cluster, profiling(options.profile, 'stuck-member'))
  const direct = directRead(cluster, await adminToken(cluster))
  const roundRobin = await startRoundRobin(run, cluster.folder, cluster.members)
  const haproxyPort = await startHaproxy(run, cluster.folder, cluster.members)
  const asked = new Map<string, number>()
  const paths = {
    console: consoleReads(await signInAdmin(cluster), await signInAdmin(cluster), asked),
    'DNS round-robin': () => roundRobin.read(direct, patienceMs),
    haproxy: () =>
      timedRead({ ...direct, options: { ...direct.options, host: '127.0.0.1', port: haproxyPort } }, patienceMs),
  }
  run.say('warming up')
  await steadyLoad(paths, { perSecond, seconds: 5, signal: run.signal })
  asked.clear()
  const load = steadyLoad(paths, { perSecond, seconds, signal: run.signal })
  const [results, victim] = await Promise.all([load, stopSomeMember(run, cluster, asked)])
  await cluster.world.mend(victim)
  return reportOf(cluster, victim, results)
}

/** Two browsers of one person, in turns: 50 per second is the limit of one session. Every read on a connection of its own, as on the other paths. */
function consoleReads(one: SignedIn, other: SignedIn, asked: Map<string, number>): () => Promise<Outcome> {
  const { hostname, port } = new URL(one.url)
  let count = 0
  return async () => {
    const { headers } = count++ % 2 === 0 ? one : other
    const outcome = await timedRead(
      { scheme: 'http', options: { host: hostname, port, path: consoleListPath, headers, agent: false } },
      patienceMs,
    )
    if (outcome.kind === 'answered' && outcome.via !== undefined) {
      asked.set(outcome.via, (asked.get(outcome.via) ?? 0) + 1)
    }
    return outcome
  }
}

/** The read as a client of Incus makes it: a new connection, a full handshake, the person's own token. */
function directRead({ members, certificate }: BenchCluster, token: string): ReadOverTls {
  return {
    scheme: 'https',
    options: {
      port: members[0]?.port,
      path: memberListPath,
      headers: { authorization: `Bearer ${token}` },
      agent: false,
      ...clusterTrust(certificate),
    },
  }
}

/** Stops the member that the console has asked most, unless it leads the database: the worst choice for the console. */
async function stopSomeMember(run: Run, cluster: BenchCluster, asked: ReadonlyMap<string, number>): Promise<string> {
  await pause(stopAtMs - leadTimeMs, undefined, { signal: run.signal })
  const leader = await leaderOf(cluster)
  const often = (name: string): number => asked.get(name) ?? 0
  const [victim] = cluster.members
    .map(({ name }) => name)
    .filter((name) => name !== leader)
    .toSorted((a, b) => often(b) - often(a))
  if (victim === undefined) throw new Error('every member leads the database')
  await pause(leadTimeMs, undefined, { signal: run.signal })
  await cluster.world.break(victim, 'stuck')
  run.say(`${victim} is stopped; ${leader} leads the database`)
  return victim
}

interface Judged extends Timed {
  readonly answer: ListAnswer
}

function reportOf({ world }: BenchCluster, victim: string, results: ReadonlyMap<string, readonly Timed[]>): Report {
  const judged = new Map(
    [...results].map(([path, reads]) => [
      path,
      reads.map((read) => ({ ...read, answer: readListAnswer(read.outcome, memberCount) })),
    ]),
  )
  const console = judged.get('console') ?? []
  const whole = summary(console)
  const lagMs = percentile(
    [...judged.values()].flat().map(({ lagMs }) => lagMs),
    0.99,
  )
  // What was not sent on time was not 50 a second, and what waited for our own processor did not wait for a member.
  const verdict = (kept: boolean): Bound['verdict'] => (lagMs > mostLagMs ? 'undecided' : kept ? 'kept' : 'missed')
  return {
    title: 'A stuck member, as its readers feel it',
    conditions: [
      `The list of servers, ${perSecond} times a second on each path for ${seconds} s, one after the other's turn, against ${world.description}. ${victim}, which the console asked most and which does not lead the database, is stopped with SIGSTOP after ${stopAtMs / 1000} s and stays so.`,
      `Every read has a connection of its own and ${patienceMs / 1000} s of patience. A read failed when no whole list came back in that time. Reads are sent on time whatever became of those before (99 of 100 at most ${formatMs(lagMs)} late; above ${mostLagMs} ms the machine was too busy to tell).`,
      'DNS round-robin: dnsmasq turns the addresses with each question; the client takes them as they come and goes on where a connection is refused.',
      'haproxy: TCP mode, HTTP checks over TLS each second, ill after two; connections to an ill member are cut.',
      `${console.filter(({ answer }) => answer === 'stale').length} of ${console.length} answers of the console were marked as stale.`,
    ],
    tables: [
      tableOf(`whole ${seconds} s`, judged, () => true),
      tableOf('the 10 s after the stop', judged, ({ dueAt }) => dueAt >= stopAtMs && dueAt < stopAtMs + 10_000),
      tableOf('before the stop', judged, ({ dueAt }) => dueAt < stopAtMs),
    ],
    bounds: [
      {
        claim: 'p99 through the console ≤ 300 ms',
        measured: formatMs(whole.p99),
        verdict: verdict(whole.p99 <= 300),
      },
      {
        claim: 'no read through the console fails',
        measured: `${whole.failed} of ${console.length}`,
        verdict: verdict(whole.failed === 0),
      },
    ],
    data: {
      victim,
      stopAtMs,
      paths: Object.fromEntries(
        [...judged].map(([path, reads]) => [
          path,
          reads.map(({ dueAt, outcome, answer }) => [Math.round(dueAt), Math.round(outcome.ms * 100) / 100, answer]),
        ]),
      ),
    },
  }
}

function tableOf(
  when: string,
  judged: ReadonlyMap<string, readonly Judged[]>,
  within: (read: Judged) => boolean,
): Report['tables'][number] {
  const sides = [...judged].map(([path, reads]) => [path, summary(reads.filter(within))] as const)
  const own = sides[0]?.[1].p99 ?? Number.NaN
  return {
    head: [when, 'reads', 'p50', 'p99', 'max', 'failed', 'p99 ÷ console'],
    rows: sides.map(([path, { count, p50, p99, max, failed }]) => [
      path,
      `${count}`,
      formatMs(p50),
      formatMs(p99),
      formatMs(max),
      `${failed}`,
      formatRatio(p99, own),
    ]),
  }
}

/** Failed reads count with the time they took to fail: that is how long somebody waited. */
function summary(reads: readonly Judged[]): {
  count: number
  p50: number
  p99: number
  max: number
  failed: number
} {
  const ms = reads.map(({ outcome }) => outcome.ms)
  return {
    count: reads.length,
    p50: percentile(ms, 0.5),
    p99: percentile(ms, 0.99),
    max: maximum(ms),
    failed: reads.filter(({ answer }) => answer === 'none').length,
  }
}
