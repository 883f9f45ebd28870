// What the console asks of members beyond what people ask of it, however many of its requests fail: a console that hedges
// and tries again must not make a bad day worse.

import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { StandInCluster } from '@malleus/server/testing/stand-in/stand-in-cluster.ts'
import type { SignedIn } from '../support/signed-in.ts'
import { signInAdmin, startBenchCluster, startBenchConsole } from './bench-world.ts'
import { FailingExchanges } from './failing-exchanges.ts'
import { formatMs } from './markdown.ts'
import { measurement, type Run } from './measurement.ts'
import { type Reader, startReader } from './reader.ts'
import type { Report } from './report.ts'
import { percentile } from './statistics.ts'

const { values: options } = parseArgs({ options: { seconds: { type: 'string', default: '20' } } })
const seconds = Number(options.seconds)
const memberCount = 5
/** One session may ask 50 times a second. */
const perSecond = 40
const patienceMs = 15_000
/** Until what was asked behind has come back, and members that failed are believed again. */
const settleMs = 15_000
const errorRates = [0, 0.01, 0.1, 0.5, 1] as const
/** Both are read from a member each time somebody asks; other pages are answered from what is kept. */
const paths = ['/api/clusters/bench/members', '/api/clusters/bench/members/server2']
const atMember = '/1.0/cluster/members'

await measurement('upstream-load', measureUpstreamLoad)

async function measureUpstreamLoad(run: Run): Promise<Report> {
  const cluster = await startBenchCluster(run, { kind: 'stand-in', members: memberCount })
  if (cluster.kind !== 'stand-in') throw new Error('stand-in members were asked for')
  await startBenchConsole(run, cluster)
  const person = await signInAdmin(cluster)
  const reader = startReader()
  run.defer(() => reader.close())
  const phases: Phase[] = []
  for (const errorRate of errorRates) {
    const phase = await onePhase(run, cluster.world.cluster, { reader, person, errorRate })
    run.say(
      `${percent(errorRate)} fail: ${phase.incoming} asked, ${phase.upstream} sent, ${phase.failed} of them failed`,
    )
    phases.push(phase)
    await pause(settleMs, undefined, { signal: run.signal })
  }
  return reportOf(cluster.world.description, phases)
}

interface Phase {
  readonly errorRate: number
  /** Requests of the person to the console. */
  readonly incoming: number
  /** Requests with the person's token that reached a member: of hedges and further attempts as well. */
  readonly upstream: number
  /** Those of them that were made to fail. */
  readonly failed: number
  /** Answers with a list, from a member or as last known. */
  readonly answered: number
  readonly p99Ms: number
  readonly seconds: number
}

interface PhaseOptions {
  readonly reader: Reader
  readonly person: SignedIn
  readonly errorRate: number
}

async function onePhase(
  run: Run,
  cluster: StandInCluster,
  { reader, person, errorRate }: PhaseOptions,
): Promise<Phase> {
  let upstream = 0
  const failing = new FailingExchanges(cluster, { path: atMember, share: errorRate })
  const stop = cluster.onRequest(({ url, authorization }) => {
    if (authorization === null || !url.startsWith(atMember)) return
    upstream += 1
    failing.draw()
  })
  const { hostname: host, port } = new URL(person.url)
  const begun = performance.now()
  const taken: Promise<{ ms: number; status: number }>[] = []
  for (let count = 0; count < perSecond * seconds; count++) {
    const waitMs = begun + (count * 1_000) / perSecond - performance.now()
    if (waitMs > 0) await pause(waitMs, undefined, { signal: run.signal })
    run.signal.throwIfAborted()
    const path = paths[count % paths.length] ?? atMember
    const read = { kind: 'request', host, port: Number(port), path, headers: person.headers } as const
    taken.push(
      reader
        .read(read, patienceMs)
        .then((outcome) => ({ ms: outcome.ms, status: outcome.kind === 'answered' ? outcome.status : 0 })),
    )
  }
  const all = await Promise.all(taken)
  const took = (performance.now() - begun) / 1_000
  // What the console still tries behind, for readers that have their answer already, counts as well.
  await pause(5_000, undefined, { signal: run.signal })
  stop()
  return {
    errorRate,
    incoming: all.length,
    upstream,
    failed: failing.end(),
    answered: all.filter(({ status }) => status === 200).length,
    p99Ms: percentile(
      all.map(({ ms }) => ms),
      0.99,
    ),
    seconds: took,
  }
}

/** What the console may send for so many requests in so many seconds. */
function allowed({ incoming, seconds: took }: Phase): number {
  return 1.1 * incoming + 2 * took + 50
}

function percent(share: number): string {
  return `${share * 100} %`
}

function reportOf(description: string, phases: readonly Phase[]): Report {
  return {
    title: 'What the console asks of members, however many requests fail',
    conditions: [
      `${description}; ${perSecond} reads a second for ${seconds} s at each rate of failure, in turns the list of servers and one server, each a question to a member that is hedged.`,
      'Of the requests to members with the token of the person, about that share is made to fail after they were received: answered with 503, their connection reset, or not answered at all. Further attempts fail as often, and so do reads of the same list that the console makes for itself.',
      'Sent: all requests with that token that reached a member, up to 5 s later. Moving on before a byte was written is none. Probes and what else the console asks for itself is not among them.',
    ],
    tables: [
      {
        head: ['fail', 'asked', 'sent', 'allowed', 'made to fail', 'answered', 'p99'],
        rows: phases.map((phase) => [
          percent(phase.errorRate),
          `${phase.incoming}`,
          `${phase.upstream}`,
          `${Math.floor(allowed(phase))}`,
          `${phase.failed}`,
          `${phase.answered}`,
          formatMs(phase.p99Ms),
        ]),
      },
    ],
    bounds: phases.map((phase) => ({
      claim: `${percent(phase.errorRate)} fail: sent ≤ 1.1 × asked + 2/s + 50`,
      measured: `${phase.upstream} of ${Math.floor(allowed(phase))}`,
      verdict: phase.upstream <= allowed(phase) ? 'kept' : 'missed',
    })),
    data: { phases },
  }
}
